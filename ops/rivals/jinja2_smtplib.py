"""The newsletter as smtplib and jinja2 send it, in several processes.

jinja2_smtplib.py HOST PORT FOLDER MESSAGES PROCESSES. Prints messages and seconds
as JSON; reading the export and starting the processes is not timed.
"""

import csv
import json
import multiprocessing
import smtplib
import sys
import time
from email.message import EmailMessage

import jinja2


def accounts(folder, count):
    with open(f"{folder}/directory.csv", encoding="utf-8") as file:
        for _, account in zip(range(count), csv.DictReader(file)):
            account["domains"] = [name for name in account["domains"].split(";") if name]
            yield account


def send(host, port, folder, mine, start):
    loader = jinja2.FileSystemLoader(f"{folder}/newsletter")
    env = jinja2.Environment(loader=loader, autoescape=lambda name: name.endswith(".html"))
    subject, text, html = (env.get_template(name) for name in ("subject.txt", "body.txt", "body.html"))
    start.wait()
    with smtplib.SMTP(host, port) as server:
        for account in mine:
            link = f"https://mail.registrar.example/k/u/{account['member_id']}"
            context = {"account": account, "links": {"unsubscribe": link, "view": link}}
            message = EmailMessage()
            message["From"] = "Registrar News <news@registrar.example>"
            message["To"] = account["email"]
            message["Subject"] = subject.render(context).strip()
            message["List-Unsubscribe"] = f"<{link}>"
            message.set_content(text.render(context))
            message.add_alternative(html.render(context), subtype="html")
            server.send_message(message)


def main():
    host, port, folder, count, processes = sys.argv[1], *sys.argv[2:6]
    every, processes = list(accounts(folder, int(count))), int(processes)
    start = multiprocessing.Barrier(processes + 1)
    workers = [
        multiprocessing.Process(target=send, args=(host, int(port), folder, every[n::processes], start))
        for n in range(processes)
    ]
    for worker in workers:
        worker.start()
    start.wait()
    started = time.monotonic()
    for worker in workers:
        worker.join()
    seconds = time.monotonic() - started
    if any(worker.exitcode for worker in workers):
        sys.exit("a process failed")
    print(json.dumps({"messages": len(every), "seconds": seconds}))


main()
