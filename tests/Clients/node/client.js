'use strict';

// Reads one login with its steps per line, answers with one line of replies. The only argument is the package to use.
const { createInterface } = require('node:readline');

const client = require(`./${process.argv[2]}.js`);

/** A value as the suite writes it. */
function text(value) {
  if (value === null || value === undefined) return null;
  if (Buffer.isBuffer(value)) return value.toString('hex').toUpperCase();
  if (value instanceof Date) return value.toISOString().slice(0, -1);
  if (typeof value === 'boolean') return value ? '1' : '0';
  return String(value);
}

/** The value of a parameter, from the suite's text. */
function value(type, given) {
  if (given === null) return null;
  switch (type) {
    case 'int': return Number(given);
    case 'bit': return given === '1';
    case 'varbinary': return Buffer.from(given, 'hex');
    default: return given;
  }
}

const message = (m) => ({ number: m.number ?? 0, severity: m.class ?? 0, state: m.state ?? 0, text: m.message });

async function run({ login, steps }) {
  const replies = [{ messages: [] }];
  let session;
  try {
    session = await client.open(login, replies[0], { message });
  } catch (error) {
    if (replies[0].messages.length === 0) replies[0].messages.push(message(error));
    return replies;
  }
  replies[0].messages = [];
  try {
    for (const step of steps) {
      const reply = { sets: [], messages: [], outputs: [], return: null, cancelled: false };
      replies.push(reply);
      await session.run(step, reply, { text, value, message });
    }
  } finally {
    await session.close();
  }
  return replies;
}

let last = Promise.resolve();
createInterface({ input: process.stdin }).on('line', (line) => {
  last = last.then(() => run(JSON.parse(line))).then(
    (replies) => process.stdout.write(`${JSON.stringify(replies)}\n`),
    (error) => {
      console.error(error);
      process.exit(1);
    });
});
