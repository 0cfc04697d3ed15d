@app.before_request
def fine():
    return {"access_token": "x.y.z", "error": "Bad Request", "status_code": 401}
