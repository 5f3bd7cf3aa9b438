'use strict';

const sql = require('mssql');

const types = {
  int: sql.Int, bigint: sql.BigInt, bit: sql.Bit, nvarchar: sql.NVarChar(sql.MAX), varbinary: sql.VarBinary(sql.MAX), uniqueidentifier: sql.UniqueIdentifier,
};

exports.open = async function open(login, first, { message }) {
  const pool = new sql.ConnectionPool({
    server: login.host,
    port: login.port,
    user: login.user,
    password: login.password,
    database: login.database || undefined,
    options: { encrypt: true, trustServerCertificate: true, readOnlyIntent: login.readOnlyIntent },
    requestTimeout: 50000,
    arrayRowMode: true,
    pool: { min: 0, max: 1 },
  });
  pool.on('error', () => {});
  try {
    await pool.connect();
  } catch (error) {
    const all = error.originalError?.errors ?? [error.originalError ?? error];
    first.messages.push(...all.map(message));
    throw error;
  }

  let transaction = null;

  /** Runs one request as a stream; what it shows goes to the reply. */
  const stream = (made, start, reply, tools) => new Promise((resolve) => {
    made.stream = true;
    made.arrayRowMode = true;
    made.on('recordset', (columns) => reply.sets.push({ columns: columns.map((c) => c.name), rows: [] }));
    made.on('row', (row) => reply.sets.at(-1).rows.push(row.map(tools.text)));
    made.on('info', (m) => reply.messages.push(message(m)));
    made.on('error', (error) => {
      if (error.code === 'ECANCEL') reply.cancelled = true;
      else reply.messages.push({ number: error.number ?? 0, severity: error.class ?? 0, state: error.state ?? 0, text: error.message });
    });
    made.on('done', (result) => resolve(result));
    start(made);
  });

  const add = (made, step, tools) => {
    for (const p of step.parameters ?? []) {
      if (p.output) made.output(p.name, types[p.type], tools.value(p.type, p.value));
      else made.input(p.name, types[p.type], tools.value(p.type, p.value));
    }
  };

  return {
    async run(step, reply, tools) {
      const made = new sql.Request(transaction ?? pool);
      switch (step.kind) {
        case 'Batch':
          await stream(made, (r) => r.batch(step.sql), reply, tools);
          return;
        case 'Call': {
          add(made, step, tools);
          const { output } = await stream(made, (r) => r.query(step.sql), reply, tools);
          for (const name of Object.keys(output ?? {})) reply.outputs.push(`@${name} = ${tools.text(output[name]) ?? 'NULL'}`);
          return;
        }
        case 'Procedure': {
          add(made, step, tools);
          const { output, returnValue } = await stream(made, (r) => r.execute(step.sql), reply, tools);
          for (const name of Object.keys(output ?? {})) reply.outputs.push(`@${name} = ${tools.text(output[name]) ?? 'NULL'}`);
          reply.return = returnValue ?? null;
          return;
        }
        case 'Cancelled':
          made.on('info', () => made.cancel());
          await stream(made, (r) => r.batch(step.sql), reply, tools);
          return;
        case 'Prepared': {
          const statement = new sql.PreparedStatement(transaction ?? pool);
          for (const p of step.parameters) statement.input(p.name, types[p.type]);
          await statement.prepare(step.sql);
          for (const list of [step.parameters.map((p) => p.value), step.again]) {
            const values = Object.fromEntries(step.parameters.map((p, i) => [p.name, tools.value(p.type, list[i])]));
            const { recordsets } = await statement.execute(values);
            for (const rows of recordsets) {
              const columns = Object.keys(rows.columns);
              reply.sets.push({ columns, rows: rows.map((row) => columns.map((c) => tools.text(row[c]))) });
            }
          }
          await statement.unprepare();
          return;
        }
        case 'Bulk': {
          const table = new sql.Table(step.sql);
          for (const p of step.parameters) table.columns.add(p.name, types[p.type], { nullable: true });
          for (const row of [step.parameters.map((p) => p.value), step.again]) table.rows.add(...row.map((v, i) => tools.value(step.parameters[i].type, v)));
          try {
            await made.bulk(table);
          } catch (error) {
            reply.messages.push(tools.message(error));
          }
          return;
        }
        case 'Begin':
          transaction = new sql.Transaction(pool);
          await transaction.begin();
          return;
        case 'Commit':
          await transaction.commit();
          transaction = null;
          return;
        case 'Rollback':
          await transaction.rollback();
          transaction = null;
          return;
        default:
          throw new Error(`no step ${step.kind}`);
      }
    },
    close: () => pool.close(),
  };
};
