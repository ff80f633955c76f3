import time

from panther_detection_helpers.caching import add_to_string_set, get_counter, get_string_set, increment_counter

TAINTS = ("loading out-of-tree module taints kernel", "module verification failed")
LEARNING_SECONDS = 3600


def host(event):
    return event.get("host") or event.get("hostname") or "the server"


def known_since(key):
    """Seconds since the first module of this host was seen."""
    start = int(get_counter(key))
    if start == 0:
        start = int(increment_counter(key, int(time.time())))
    return time.time() - start


def rule(event):
    if event.get("appname") == "kernel":
        return any(text in (event.get("message") or "") for text in TAINTS)
    module = event.get("module")
    if module is None:
        return False
    key = f"kernel-modules:{host(event)}"
    is_new = module not in get_string_set(key)
    is_learning = int(known_since(f"{key}:since")) < LEARNING_SECONDS
    if is_new:
        add_to_string_set(key, [module])
    return is_new and not is_learning


def title(event):
    return f"New kernel module on {host(event)}: {event.get('module') or event.get('message')}"


def dedup(event):
    return title(event)


def alert_context(event):
    names = ("module", "size", "used_by", "message")
    return {"host": host(event), **{name: event.get(name) for name in names if event.get(name) is not None}}
