SSH_PORT = 22


def get_originator_ip(event):
    return event["id_orig_h"]


def successfull_ssh_connection(event):
    return event["id_resp_p"] == SSH_PORT and event["conn_state"] == "S0" and event["history"] == "ScADCc"
