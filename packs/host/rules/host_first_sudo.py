from caracal_host_helpers import fields, host, is_new, program, text

LEARNING_SECONDS = 86400
STARTS = ("TTY=", "HOST=", "PWD=", "USER=", "GROUP=", "CHROOT=")


def run(event):
    """The user and what sudo says about the command that it ran for them; no command if it refused."""
    user, found, rest = text(event).strip().partition(" : ")
    if program(event) != "sudo" or not found or not rest.startswith(STARTS) or "COMMAND=" not in rest:
        return None, {}
    return user.strip(), {**fields(rest.partition("COMMAND=")[0]), "COMMAND": rest.partition("COMMAND=")[2]}


def rule(event):
    user = run(event)[0]
    return user not in (None, "root") and bool(is_new("sudo", host(event), user, LEARNING_SECONDS))


def title(event):
    return f"{run(event)[0]} used sudo on {host(event)} for the first time"


def dedup(event):
    return title(event)


def alert_context(event):
    user, details = run(event)
    return {"host": host(event), "user": user, "as": details.get("USER"), "command": details.get("COMMAND")}
