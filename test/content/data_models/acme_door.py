def get_event_type(event):
    return "successful_login" if event.get("granted") else "failed_login"
