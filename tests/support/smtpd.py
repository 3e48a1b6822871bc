"""The server behind smtpd.sh: aiosmtpd with a folder for what it takes. It relays nothing, to nobody."""
import asyncio
import errno
import os
import random
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

folder, tls, port = sys.argv[1], sys.argv[2], int(sys.argv[3])


class Taker:
    taken = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.endswith("@refused.example"):
            return f"550 5.1.1 <{address}> no such user"
        if address.endswith("@later.example"):
            return f"450 4.2.1 <{address}> come again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        Taker.taken += 1
        name = os.path.join(folder, "mail", f"{os.getpid():08d}-{Taker.taken:04d}.eml")
        head = f"X-Test-To: {','.join(envelope.rcpt_tos)}\r\nX-Test-From: {envelope.mail_from}\r\nX-Test-Tls: {session.ssl is not None or tls == 'tls'}\r\nX-Test-Hello: {session.host_name}\r\n"
        with open(name + ".part", "wb") as file:
            file.write(head.encode() + envelope.original_content)
        os.rename(name + ".part", name)
        return f"250 2.0.0 taken as {Taker.taken}"


def signs_in(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"kontor", b"secret")
    return AuthResult(success=good, handled=False)


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(os.path.join(folder, "server.pem"), os.path.join(folder, "server.key"))
    return made


def protocol():
    options = {"hostname": "relay.test", "ident": "test relay"}
    if tls == "starttls":
        options |= {"tls_context": context(), "require_starttls": True, "auth_required": True}
    if tls == "tls":
        options |= {"auth_required": True, "auth_require_tls": False}
    if tls != "none":
        options["authenticator"] = signs_in
    return SMTP(Taker(), **options)


async def anywhere(loop, outer):
    """Below the ports that outgoing connections get, so that it is still free when the server is started again."""
    for _ in range(50):
        try:
            return await loop.create_server(protocol, "127.0.0.1", random.randrange(15000, 32000), ssl=outer)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise RuntimeError("no port is free")


async def main():
    loop = asyncio.get_running_loop()
    outer = context() if tls == "tls" else None
    server = await loop.create_server(protocol, "127.0.0.1", port, ssl=outer) if port else await anywhere(loop, outer)
    answer = os.path.join(folder, "answer")
    with open(answer + ".part", "w") as file:
        file.write(f"{server.sockets[0].getsockname()[1]}\n")
    os.rename(answer + ".part", answer)
    await server.serve_forever()


asyncio.run(main())
