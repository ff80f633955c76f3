from caracal_host_helpers import fields, host, program, text

NEW = "new user: "
NO_LOGIN = ("nologin", "false", "sync")


def account(event):
    """The fields of the account that useradd made: name, UID, shell …"""
    message = text(event)
    return fields(message.removeprefix(NEW)) if program(event) == "useradd" and message.startswith(NEW) else {}


def rule(event):
    made = account(event)
    if not made:
        return False
    # Packages make accounts for their services, with which nobody can log in.
    return made.get("UID") == "0" or made.get("shell", "").rpartition("/")[2] not in NO_LOGIN


def severity(event):
    return "HIGH" if account(event).get("UID") == "0" else "DEFAULT"


def title(event):
    return f"New account {account(event).get('name')} on {host(event)}"


def dedup(event):
    return title(event)


def alert_context(event):
    return {"host": host(event), **account(event)}
