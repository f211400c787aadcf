// The newsletter as nodemailer's pool and nunjucks send it: rendered, built and
// handed over, one recipient a message.
//
// node nodemailer.mjs HOST PORT FOLDER MESSAGES CONNECTIONS, with nodemailer and
// nunjucks to be found from the working directory. Prints messages and seconds as
// JSON; reading the export is not timed.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(process.cwd() + '/');
const nodemailer = require('nodemailer');
const nunjucks = require('nunjucks');

const [host, port, folder, count, connections] = process.argv.slice(2);
const rows = readFileSync(`${folder}/directory.csv`, 'utf8').trim().split('\n');
const names = rows[0].split(',');
const accounts = rows.slice(1, 1 + Number(count)).map((row) => {
  const account = Object.fromEntries(row.split(',').map((value, n) => [names[n], value.trim()]));
  account.domains = account.domains ? account.domains.split(';') : [];
  return account;
});

const env = (autoescape) => {
  const made = new nunjucks.Environment(null, { autoescape });
  made.addFilter('format', (_, value) => String(value).padStart(3));
  return made;
};
const template = (name, autoescape) =>
  new nunjucks.Template(readFileSync(`${folder}/newsletter/${name}`, 'utf8'), env(autoescape), name, true);
const [subject, text, html] = [template('subject.txt', false), template('body.txt', false), template('body.html', true)];

const pool = nodemailer.createTransport({
  pool: true, host, port: Number(port), secure: false, ignoreTLS: true,
  maxConnections: Number(connections), maxMessages: Infinity,
});

let at = 0;
const started = performance.now();
// As many under way as keep every connection busy, and no more memory than that.
const lane = async () => {
  while (at < accounts.length) {
    const account = accounts[at++];
    const link = `https://mail.registrar.example/k/u/${account.member_id}`;
    const context = { account, links: { unsubscribe: link, view: link } };
    await pool.sendMail({
      from: 'Registrar News <news@registrar.example>',
      to: account.email,
      subject: subject.render(context).trim(),
      text: text.render(context),
      html: html.render(context),
      headers: { 'List-Unsubscribe': `<${link}>` },
    });
  }
};
await Promise.all(Array.from({ length: 4 * Number(connections) }, lane));
const seconds = (performance.now() - started) / 1000;
pool.close();
console.log(JSON.stringify({ messages: accounts.length, seconds }));
