@app.before_request
def escape():
    return '\x00\x1b[2J</script><script>alert(1)</script>\ud800=cmd|"'.encode("utf-8", "surrogatepass"), 200
