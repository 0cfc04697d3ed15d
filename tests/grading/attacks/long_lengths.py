@app.after_request
def spoil(response):
    response.headers["Content-Length"] = "9" * 30
    return response
