import panther_greynoise_helpers as p_greynoise_h
import zeek_helpers as zeek_h


def rule(event):
    if not zeek_h.successfull_ssh_connection(event):
        return False
    return p_greynoise_h.GreyNoiseBasic(event).classification("id_orig_h") == "malicious"


def title(event):
    return f"SSH Connection Established from Malicious IP {zeek_h.get_originator_ip(event)}"
