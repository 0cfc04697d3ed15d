def slow(environ, start_response):
    start_response("200 OK", [("Content-Type", 'multipart/mixed; b="' + "\\" * 60_000 + ";" * 60_000)])
    return [b"{}"]


app.wsgi_app = slow
