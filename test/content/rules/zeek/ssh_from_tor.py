import panther_tor_helpers as p_tor_h
import zeek_helpers as zeek_h


def rule(event):
    if not zeek_h.successfull_ssh_connection(event):
        return False
    return p_tor_h.TorExitNodes(event).has_exit_nodes()


def title(event):
    return f"SSH Connection Established from TOR Exit Node ({zeek_h.get_originator_ip(event)})"
