@app.get("/exercise-LABEL")
def ready():
    """Return that the app is ready."""
    return {"ready": "true"}
