def rule(row):
    return row.get("doors") > 10


def title(row):
    return f"Badge {row.get('badge_id')} opened {row.get('doors')} doors"
