// Stands in for Linear: executes requests on Linear's own GraphQL schema and keeps issues, comments and relations in a
// file, so that it can be killed and started again.
//   node linear_server.js NODE_MODULES SCHEMA STATE_FILE PORT CHAOS SEED
// CHAOS is the share of requests that go wrong, in one of seven ways; three of them after the request was executed, so that
// the client does not know. Says "ready PORT" when it listens.
'use strict';
const fs = require('fs'), http = require('http'), path = require('path');
const [modules, schemaFile, stateFile, port, chaos, seed] = process.argv.slice(2);
const g = require(path.join(modules, 'graphql'));
const schema = g.buildSchema(fs.readFileSync(schemaFile, 'utf8'), { assumeValid: true });
const KEY = 'lin_api_test';
const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let state = { issues: [], comments: [], relations: [], requests: 0 };
if (fs.existsSync(stateFile)) state = JSON.parse(fs.readFileSync(stateFile));
function keep() {
  fs.writeFileSync(stateFile + '.new', JSON.stringify(state));
  fs.renameSync(stateFile + '.new', stateFile);
}

let random = Number(seed) * 2654435761 + state.requests;
function chance() { // xorshift: the same on every machine
  random ^= random << 13; random ^= random >>> 17; random ^= random << 5;
  return (random >>> 0) / 4294967296;
}

function refuse(message, code = 'INPUT_ERROR', type = 'invalid input') {
  throw new g.GraphQLError(message, { extensions: { type, code, statusCode: 400, userError: true } });
}
const found = (list, id) => state[list].find(o => o.id === id);
function insert(list, what, object) {
  if (!UUID4.test(object.id)) refuse('Argument Validation Error');
  if (found(list, object.id)) refuse(`conflict on insert of ${what}`);
  state[list].push(object);
}
const issueOf = id => found('issues', id) || refuse('Entity not found: Issue');
const matches = (filter, o) => !filter || !filter.id || ((!filter.id.eq || filter.id.eq === o.id) && (!filter.id.in || filter.id.in.includes(o.id)));

const root = {
  issueCreate({ input }) {
    const number = state.issues.length + 1;
    insert('issues', 'Issue', { ...input, identifier: `ENG-${number}`, url: `https://linear.app/acme/issue/ENG-${number}`, updates: [] });
    return { success: true, lastSyncId: 1, issue: found('issues', input.id) };
  },
  issueUpdate({ id, input }) {
    const issue = issueOf(id);
    Object.assign(issue, input);
    issue.updates.push(input);
    return { success: true, lastSyncId: 1, issue };
  },
  commentCreate({ input }) {
    issueOf(input.issueId);
    insert('comments', 'Comment', { ...input });
    return { success: true, lastSyncId: 1, comment: input };
  },
  issueRelationCreate({ input }) {
    issueOf(input.issueId);
    issueOf(input.relatedIssueId);
    insert('relations', 'IssueRelation', { ...input });
    return { success: true, lastSyncId: 1, issueRelation: input };
  },
  issues({ filter, first }) {
    return { nodes: state.issues.filter(i => matches(filter, i)).slice(0, first || 50) };
  },
  comments({ filter, first }) {
    const nodes = state.comments.filter(c => matches(filter, c)).slice(0, first || 50);
    return { nodes: nodes.map(c => ({ ...c, issue: issueOf(c.issueId) })) };
  },
};

async function execute(body) {
  const document = g.parse(body.query);
  const errors = g.validate(schema, document);
  if (errors.length) return { status: 400, answer: { errors: errors.map(e => ({ message: e.message, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } })) } };
  const done = await g.execute({ schema, document, rootValue: root, variableValues: body.variables });
  keep();
  return { status: 200, answer: done };
}

const fails = (code, type) => ({ errors: [{ message: 'no', extensions: { code, type, statusCode: 400 } }], data: null });
const before = [ // not executed
  (req, res) => req.socket.destroy(),
  (req, res) => send(res, 400, fails('RATELIMITED', 'ratelimited')),
  (req, res) => send(res, 200, fails('INTERNAL_SERVER_ERROR', 'internal error')),
  (req, res) => send(res, 503, 'busy'),
];
const after = [ // executed, but nobody hears of it
  (req, res) => req.socket.destroy(),
  (req, res) => send(res, 502, '<html>Bad gateway</html>'),
  () => process.kill(process.pid, 'SIGKILL'),
];

function send(res, status, answer) {
  res.writeHead(status, { 'Content-Type': 'application/json' });
  res.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
}

async function serve(req, res, text) {
  state.requests++;
  if (req.url === '/state') return send(res, 200, state);
  if (req.headers.authorization !== KEY) return send(res, 401, fails('AUTHENTICATION_ERROR', 'authentication error'));
  const wrong = chance() < Number(chaos), way = Math.floor(chance() * (before.length + after.length));
  if (wrong && way < before.length) return before[way](req, res);
  const { status, answer } = await execute(JSON.parse(text));
  if (wrong) return after[way - before.length](req, res);
  return send(res, status, answer);
}

http.createServer((req, res) => {
  let text = '';
  req.setEncoding('utf8');
  req.on('data', part => { text += part; });
  req.on('end', () => serve(req, res, text).catch(e => send(res, 500, String(e))));
}).listen(Number(port), '127.0.0.1', function () { console.log('ready', this.address().port); });
