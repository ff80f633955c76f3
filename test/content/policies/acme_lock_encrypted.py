def policy(resource):
    # A policy gets a plain dict: nothing is wrapped, nothing is case-insensitive.
    assert isinstance(resource["links"], list)
    return all(link["cipher"] != "none" for link in resource["links"])


def title(resource):
    return f"Lock {resource['id']} speaks in the clear"
