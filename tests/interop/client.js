// tests/interop/client.js - gRPC's interop cases, as a grpc-js client does them.
// Layer: tests. Source: gRPC "Interoperability Test Case Descriptions"; cases.py is the same for grpcio.
// SPDX-License-Identifier: Apache-2.0
//
// Use: NODE_PATH=build/node/node_modules node tests/interop/client.js
// Each line in is {"case": NAME, "target": "HOST:PORT", "ca": FILE or null for no TLS}; each line out {"ok": true} or {"ok": false, "error": TEXT}.
'use strict';
const assert = require('assert');
const fs = require('fs');
const path = require('path');
const readline = require('readline');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const PROTO = path.join(__dirname, '..', '..', 'proto');
const { testing } = grpc.loadPackageDefinition(loader.loadSync('grpc/testing/test.proto', {
  includeDirs: [PROTO], keepCase: true, longs: Number, enums: String, defaults: true })).grpc;

const SECONDS = 120; // of patience with one call: no case fails because the machine is slow
const LARGE_REQUEST = 271828, LARGE_REPLY = 314159;
const REQUESTS = [27182, 8, 1828, 45904], REPLIES = [31415, 9, 2653, 58979];
const INITIAL = 'x-grpc-test-echo-initial', TRAILING = 'x-grpc-test-echo-trailing-bin';
const SPECIAL = '\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1f608}\t\n';
const INTERVAL_US = 30000;
const NO_COMPRESS = 2; // a write flag
const GZIP = { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip };
const { status } = grpc;

// --- Messages and calls -------------------------------------------------------------------------------

const payload = (size) => ({ body: Buffer.alloc(size) });
const output = (sizes, body, more) => ({
  response_parameters: sizes.map((size) => ({ size, ...more })), payload: body === undefined ? null : payload(body) });
const large = (more) => ({ response_size: LARGE_REPLY, payload: payload(LARGE_REQUEST), ...more });
const soon = () => ({ deadline: Date.now() + SECONDS * 1000 });

function isBody(reply, size) {
  assert.strictEqual(reply.payload.type, 'COMPRESSABLE');
  assert.strictEqual(reply.payload.body.length, size);
  assert(reply.payload.body.every((byte) => byte === 0), 'not zeros');
}

function areBodies(replies, sizes) {
  assert.strictEqual(replies.length, sizes.length);
  replies.forEach((reply, i) => isBody(reply, sizes[i]));
}

// start(callback) begins a call with one reply. Gives {error, reply, initial, trailing}.
function single(start) {
  return new Promise((resolve) => {
    const answer = {};
    const call = start((error, reply) => {
      Object.assign(answer, { error, reply });
      if (answer.trailing) resolve(answer);
    });
    call.on('metadata', (metadata) => { answer.initial = metadata; });
    call.on('status', ({ metadata }) => {
      answer.trailing = metadata;
      if ('error' in answer) resolve(answer);
    });
  });
}

// call.write(message, NO_COMPRESS), as grpc-js has it: Node before 20 refuses a flag in the place of an encoding.
function writeAsItIs(call, message) {
  const write = call._write;
  call._write = (chunk, encoding, done) => write.call(call, chunk, chunk === message ? NO_COMPRESS : encoding, done);
  call.write(message);
}

// A call with many replies: {replies, status, initial} at its end; each(reply) meanwhile.
function many(call, each = () => {}) {
  return new Promise((resolve) => {
    const answer = { replies: [] };
    call.on('metadata', (metadata) => { answer.initial = metadata; });
    call.on('data', (reply) => { answer.replies.push(reply); each(reply); });
    call.on('error', () => {});
    call.on('status', (status) => resolve({ ...answer, status }));
  });
}

async function replyOf(start) {
  const { error, reply } = await single(start);
  if (error) throw error;
  return reply;
}

async function repliesOf(call) {
  const { replies, status: end } = await many(call);
  assert.strictEqual(end.code, status.OK, end.details);
  return replies;
}

function isFailure(error, code, details) {
  assert(error, 'ended well');
  assert.strictEqual(error.code, code, error.details);
  if (details !== undefined) assert.strictEqual(error.details, details);
}

// --- The cases ------------------------------------------------------------------------------------------

const CASES = {
  async empty_unary(client) {
    assert.deepStrictEqual({ ...await replyOf((done) => client.EmptyCall({}, soon(), done)) }, {});
  },

  async large_unary(client) {
    isBody(await replyOf((done) => client.UnaryCall(large(), soon(), done)), LARGE_REPLY);
  },

  async client_compressed_unary(client, open) {
    isFailure((await single((done) => client.UnaryCall(large({ expect_compressed: { value: true } }), soon(), done)))
      .error, status.INVALID_ARGUMENT);
    for (const value of [true, false]) {
      const other = value ? open(GZIP) : client;
      isBody(await replyOf((done) => other.UnaryCall(large({ expect_compressed: { value } }), soon(), done)),
        LARGE_REPLY);
    }
  },

  async server_compressed_unary(client) {
    for (const value of [true, false]) {
      isBody(await replyOf((done) => client.UnaryCall(large({ response_compressed: { value } }), soon(), done)),
        LARGE_REPLY);
    }
  },

  async client_streaming(client) {
    const reply = await replyOf((done) => {
      const call = client.StreamingInputCall(soon(), done);
      REQUESTS.forEach((size) => call.write({ payload: payload(size) }));
      call.end();
      return call;
    });
    assert.strictEqual(reply.aggregated_payload_size, 74922);
  },

  async client_compressed_streaming(client, open) {
    const probe = await single((done) => {
      const call = client.StreamingInputCall(soon(), done);
      call.on('error', () => {});
      call.write({ payload: payload(27182), expect_compressed: { value: true } });
      call.end();
      return call;
    });
    isFailure(probe.error, status.INVALID_ARGUMENT);
    const reply = await replyOf((done) => {
      const call = open(GZIP).StreamingInputCall(soon(), done);
      call.write({ payload: payload(27182), expect_compressed: { value: true } });
      writeAsItIs(call, { payload: payload(45904), expect_compressed: { value: false } });
      call.end();
      return call;
    });
    assert.strictEqual(reply.aggregated_payload_size, 73086);
  },

  async server_streaming(client) {
    areBodies(await repliesOf(client.StreamingOutputCall(output(REPLIES), soon())), REPLIES);
  },

  async server_compressed_streaming(client) {
    const request = output([31415, 92653]);
    request.response_parameters.forEach((parameter, i) => { parameter.compressed = { value: i === 0 }; });
    areBodies(await repliesOf(client.StreamingOutputCall(request, soon())), [31415, 92653]);
  },

  async ping_pong(client) {
    const call = client.FullDuplexCall(soon());
    let n = 0;
    const ask = () => {
      if (n === REPLIES.length) call.end();
      else call.write(output([REPLIES[n]], REQUESTS[n]));
    };
    const end = many(call, (reply) => { isBody(reply, REPLIES[n]); n++; ask(); });
    ask();
    const { replies, status: { code, details } } = await end;
    assert.strictEqual(code, status.OK, details);
    areBodies(replies, REPLIES);
  },

  async empty_stream(client) {
    const call = client.FullDuplexCall(soon());
    call.end();
    assert.deepStrictEqual(await repliesOf(call), []);
  },

  async custom_metadata(client) {
    const text = 'test_initial_metadata_value', binary = Buffer.from('0a0b0a0b0a0b', 'hex');
    const metadata = new grpc.Metadata();
    metadata.set(INITIAL, text);
    metadata.set(TRAILING, binary);
    const check = (initial, trailing) => {
      assert.deepStrictEqual(initial.get(INITIAL), [text]);
      assert.deepStrictEqual(trailing.get(TRAILING), [binary]);
    };
    const unary = await single((done) => client.UnaryCall(large(), metadata, soon(), done));
    if (unary.error) throw unary.error;
    isBody(unary.reply, LARGE_REPLY);
    check(unary.initial, unary.trailing);
    const call = client.FullDuplexCall(metadata, soon());
    const end = many(call);
    call.write(output([LARGE_REPLY], LARGE_REQUEST));
    call.end();
    const stream = await end;
    assert.strictEqual(stream.status.code, status.OK, stream.status.details);
    areBodies(stream.replies, [LARGE_REPLY]);
    check(stream.initial, stream.status.metadata);
  },

  async status_code_and_message(client) {
    const response_status = { code: 2, message: 'test status message' };
    const { error } = await single((done) => client.UnaryCall({ response_status }, soon(), done));
    isFailure(error, status.UNKNOWN, response_status.message);
    const call = client.FullDuplexCall(soon());
    const end = many(call);
    call.write({ response_status });
    call.end();
    isFailure((await end).status, status.UNKNOWN, response_status.message);
  },

  async special_status_message(client) {
    const response_status = { code: 2, message: SPECIAL };
    const { error } = await single((done) => client.UnaryCall({ response_status }, soon(), done));
    isFailure(error, status.UNKNOWN, SPECIAL);
  },

  async unimplemented_method(client) {
    isFailure((await single((done) => client.UnimplementedCall({}, soon(), done))).error, status.UNIMPLEMENTED);
  },

  async unimplemented_service(client, open) {
    const other = open({}, testing.UnimplementedService);
    isFailure((await single((done) => other.UnimplementedCall({}, soon(), done))).error, status.UNIMPLEMENTED);
  },

  async cancel_after_begin(client) {
    const { error } = await single((done) => {
      const call = client.StreamingInputCall(soon(), done);
      call.on('error', () => {});
      setImmediate(() => call.cancel());
      return call;
    });
    isFailure(error, status.CANCELLED);
  },

  async cancel_after_first_response(client) {
    const call = client.FullDuplexCall(soon());
    const end = many(call, (reply) => { isBody(reply, 31415); call.cancel(); });
    call.write(output([31415], 27182));
    const { replies, status: last } = await end;
    assert.strictEqual(replies.length, 1);
    isFailure(last, status.CANCELLED);
  },

  async timeout_on_sleeping_server(client) {
    const call = client.FullDuplexCall({ deadline: Date.now() + 1 });
    const end = many(call);
    call.write(output([], 27182));
    isFailure((await end).status, status.DEADLINE_EXCEEDED);
  },

  async half_duplex(client) {
    const call = client.HalfDuplexCall(soon());
    let said = 0;
    const end = many(call, () => { said++; });
    REPLIES.forEach((size, i) => call.write(output([size], REQUESTS[i])));
    await replyOf((done) => client.EmptyCall({}, soon(), done));
    assert.strictEqual(said, 0);
    call.end();
    const { replies, status: { code, details } } = await end;
    assert.strictEqual(code, status.OK, details);
    areBodies(replies, REPLIES);
  },

  async interval(client) {
    const begin = process.hrtime.bigint();
    areBodies(await repliesOf(client.StreamingOutputCall(
      output([9, 9, 9], undefined, { interval_us: INTERVAL_US }), soon())), [9, 9, 9]);
    assert(process.hrtime.bigint() - begin >= BigInt(3 * INTERVAL_US - 2000) * 1000n);
  },
};

async function run({ case: name, target, ca }) {
  const clients = [];
  const credentials = ca ? grpc.credentials.createSsl(fs.readFileSync(ca)) : grpc.credentials.createInsecure();
  const open = (options = {}, service = testing.TestService) => {
    clients.push(new service(target, credentials,
      { 'grpc.max_receive_message_length': -1, 'grpc.use_local_subchannel_pool': 1, ...options }));
    return clients[clients.length - 1];
  };
  try {
    await CASES[name](open(), open);
    return { ok: true };
  } catch (error) {
    return { ok: false, error: error.stack };
  } finally {
    clients.forEach((client) => client.close());
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await run(JSON.parse(line))));
  }
}

main();
