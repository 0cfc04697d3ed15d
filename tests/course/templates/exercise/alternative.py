def ready():
    """Return that the app is ready."""
    return {"ready": True}


app.add_url_rule("/exercise-LABEL", view_func=ready)
