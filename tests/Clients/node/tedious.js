'use strict';

const { Connection, Request, TYPES } = require('tedious');

const types = {
  int: TYPES.Int, bigint: TYPES.BigInt, bit: TYPES.Bit, nvarchar: TYPES.NVarChar, varbinary: TYPES.VarBinary, uniqueidentifier: TYPES.UniqueIdentifier,
};

exports.open = async function open(login, first, { message }) {
  let reply = first;
  let heard = () => {};
  const connection = new Connection({
    server: login.host,
    authentication: { type: 'default', options: { userName: login.user, password: login.password } },
    options: {
      port: login.port,
      database: login.database || undefined,
      encrypt: true,
      trustServerCertificate: true,
      readOnlyIntent: login.readOnlyIntent,
      rowCollectionOnDone: false,
      requestTimeout: 50000,
    },
  });
  connection.on('infoMessage', (m) => {
    reply.messages.push(message(m));
    heard();
  });
  connection.on('errorMessage', (m) => reply.messages.push(message(m)));
  connection.on('error', () => {});
  await new Promise((resolve, reject) => connection.connect((error) => (error ? reject(error) : resolve())));

  const perform = (start) => new Promise((resolve, reject) => start((error) => (error && !error.number ? reject(error) : resolve())));

  /** Runs one request; its errors have come as messages already. */
  const request = (sql, execute, prepare, tools) => new Promise((resolve, reject) => {
    const made = new Request(sql, (error) => {
      if (error && error.code === 'ECANCEL') reply.cancelled = true;
      else if (error && !error.number && !error.errors) return reject(error);
      resolve();
    });
    made.on('columnMetadata', (columns) => reply.sets.push({ columns: columns.map((c) => c.colName), rows: [] }));
    made.on('row', (columns) => reply.sets.at(-1).rows.push(columns.map((c) => tools.text(c.value))));
    made.on('returnValue', (name, given) => reply.outputs.push(`@${name} = ${tools.text(given) ?? 'NULL'}`));
    prepare(made);
    execute(made);
  });

  const add = (step, tools) => (made) => {
    for (const p of step.parameters ?? []) {
      const declare = p.output ? made.addOutputParameter : made.addParameter;
      declare.call(made, p.name, types[p.type], tools.value(p.type, p.value));
    }
  };

  return {
    async run(step, into, tools) {
      reply = into;
      heard = () => {};
      switch (step.kind) {
        case 'Batch':
          return request(step.sql, (r) => connection.execSqlBatch(r), () => {}, tools);
        case 'Call':
          return request(step.sql, (r) => connection.execSql(r), add(step, tools), tools);
        case 'Procedure':
          return request(step.sql, (r) => connection.callProcedure(r), (r) => {
            r.on('doneProc', (count, more, status) => { reply.return = status ?? reply.return; });
            add(step, tools)(r);
          }, tools);
        case 'Cancelled':
          return request(step.sql, (r) => {
            heard = () => r.cancel();
            connection.execSqlBatch(r);
          }, () => {}, tools);
        case 'Prepared':
          return prepared(step, tools);
        case 'Bulk':
          return perform((done) => {
            const load = connection.newBulkLoad(step.sql, {}, done);
            for (const p of step.parameters) load.addColumn(p.name, types[p.type], { nullable: true });
            connection.execBulkLoad(load, [step.parameters.map((p) => p.value), step.again].map((row) => row.map((v, i) => tools.value(step.parameters[i].type, v))));
          });
        case 'Begin':
          return perform((done) => connection.beginTransaction(done));
        case 'Commit':
          return perform((done) => connection.commitTransaction(done));
        case 'Rollback':
          return perform((done) => connection.rollbackTransaction(done));
        case 'Reset':
          await perform((done) => connection.reset(done));
          reply.messages = [];
          return undefined;
        default:
          throw new Error(`no step ${step.kind}`);
      }
    },
    close: () => new Promise((resolve) => {
      connection.on('end', resolve);
      connection.close();
    }),
  };

  /** One request object is prepared once and executed with each list of values. */
  function prepared(step, tools) {
    const names = step.parameters.map((p) => p.name);
    const lists = [step.parameters.map((p) => p.value), step.again ?? []].filter((list) => list.length > 0);
    return new Promise((resolve, reject) => {
      let turn = 0;
      const made = new Request(step.sql, (error) => {
        if (error && !error.number && !error.errors) return reject(error);
        next();
      });
      for (const p of step.parameters) made.addParameter(p.name, types[p.type]);
      made.on('columnMetadata', (columns) => reply.sets.push({ columns: columns.map((c) => c.colName), rows: [] }));
      made.on('row', (columns) => reply.sets.at(-1).rows.push(columns.map((c) => tools.text(c.value))));
      made.on('prepared', () => next());
      connection.prepare(made);

      function next() {
        if (turn < lists.length) {
          const list = lists[turn++];
          connection.execute(made, Object.fromEntries(names.map((n, i) => [n, tools.value(step.parameters[i].type, list[i])])));
        } else if (turn++ === lists.length) {
          connection.unprepare(made);
        } else {
          resolve();
        }
      }
    });
  }
};
