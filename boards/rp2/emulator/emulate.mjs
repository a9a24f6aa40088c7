// boards/rp2/emulator/emulate.mjs - runs an image of an RP2040 board in rp2040js, joined to this machine.
// Layer: board. Source: RP2040 data sheet; npm's rp2040js 1.4.1 (package.json), build/rp2040js/ has it.
// SPDX-License-Identifier: Apache-2.0
//
// Use: node emulate.mjs LINK IMAGE [--gdb PORT]   IMAGE: an .elf or .uf2 file. LINK, one of:
//   --uart HOST:PORT,wait=off      UART0 is at this TCP port, which takes one program at a time
//   --usb-cdc HOST:PORT,wait=off   the same for the USB serial port: the port is open while a program is connected
//   --usb-ncm HOST:PORT            HOST:PORT is forwarded to port 50051 of the board, by QEMU's user-mode network
// --gdb: the board waits for gdb at that port.
// wait=on: the board is powered when the first program connects. What the board prints on UART0 goes to stdout, but for
// --uart. SIGHUP pulls the USB plug and puts it back, while the board stays powered; SIGUSR2 sets the USB serial port to
// 1200 baud, which asks the board to wait for a new image.
import fs from 'node:fs';
import net from 'node:net';
import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { fileURLToPath, pathToFileURL } from 'node:url';
import path from 'node:path';
import { UsbCdc, UsbNcm } from './usb.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const BUILD = path.join(HERE, '../../../build/rp2040js');
const LIBRARY = path.join(BUILD, 'node_modules/rp2040js/dist/esm/index.js');

const NANOS_PER_CYCLE = 8; // 125 MHz
const FLASH_AT = 0x10000000;
const FLASH_NUMBER = [0xe6, 0x60, 0x4e, 0x41, 0x4e, 0x4f, 0x52, 0x50]; // what this board's flash answers
const BREAKPOINTS = { 1: 'a fault in the ROM', 2: "boot2's checksum is wrong", 3: 'it waits for a UF2 file' };

function fail(text) {
  console.error('emulate: ' + text);
  process.exit(1);
}

// --- The image -------------------------------------------------------------------------------------

// [address, bytes] of what an ELF file has for flash.
function* elfParts(file) {
  const at = file.readUInt32LE(28);
  for (let i = 0; i < file.readUInt16LE(44); i++) {
    const [kind, offset, , address, size] = [0, 4, 8, 12, 16].map((n) => file.readUInt32LE(at + 32 * i + n));
    if (kind === 1 && size) yield [address, file.subarray(offset, offset + size)];
  }
}

function* uf2Parts(file) {
  for (let at = 0; at < file.length; at += 512) {
    if (file.readUInt32LE(at) !== 0x0a324655 || file.readUInt32LE(at + 28) !== 0xe48bff56) fail('no UF2 file for an RP2040');
    yield [file.readUInt32LE(at + 12), file.subarray(at + 32, at + 32 + file.readUInt32LE(at + 16))];
  }
}

function load(mcu, name) {
  const file = fs.readFileSync(name);
  for (const [address, bytes] of file[0] === 0x7f ? elfParts(file) : uf2Parts(file)) {
    if (address < FLASH_AT || address - FLASH_AT + bytes.length > mcu.flash.length) fail(name + ': it does not lie in flash');
    mcu.flash.set(bytes, address - FLASH_AT);
  }
}

// --- The machine -----------------------------------------------------------------------------------

// rp2040js's flash controller knows no number: the 13 bytes of the command 4B (read unique ID) are answered here.
function giveFlashNumber(ssi) {
  const [read, write, data] = [ssi.readUint32.bind(ssi), ssi.writeUint32.bind(ssi), 0x60];
  const answers = [];
  let sent = 0;
  ssi.writeUint32 = (offset, value) => {
    if (offset !== data || (sent === 0 && value !== 0x4b)) return write(offset, value);
    answers.push(sent < 5 ? 0 : FLASH_NUMBER[sent - 5]);
    sent = (sent + 1) % 13;
  };
  ssi.readUint32 = (offset) => (offset === data && answers.length ? answers.shift() : read(offset));
}

class Machine {
  constructor({ Simulator, ConsoleLogger, LogLevel }, image) {
    const simulator = new Simulator();
    this.mcu = simulator.rp2040;
    this.clock = simulator.clock;
    this.mcu.logger = new ConsoleLogger(LogLevel.Error, false); // it would log each SEV
    const rom = fs.readFileSync(path.join(BUILD, 'rom.bin'));
    const words = new Uint32Array(4096);
    new Uint8Array(words.buffer).set(rom);
    this.mcu.loadBootrom(words); // this empties flash
    load(this.mcu, image);
    giveFlashNumber(this.mcu.peripherals[0x18000]);
    this.mcu.onBreak = (code) => fail('the firmware has stopped: ' + (BREAKPOINTS[code] ?? 'breakpoint ' + code));
    this.feed = () => {}; // gives the board what has come for it
    this.flush = () => {}; // gives away what has come from it
    this.timer = null;
    this.runs = false;
    this.turn = this.turn.bind(this);
  }

  // Also after a stop, whose time does not count.
  start() {
    this.runs = true;
    this.began = performance.now() - this.clock.nanos / 1e6;
    setImmediate(this.turn);
  }

  stop() {
    this.runs = false;
    clearTimeout(this.timer);
    this.timer = null;
  }

  // Nanoseconds that the board's clock is behind the real one, which it never passes: it waits when it sleeps.
  behind() {
    return (performance.now() - this.began) * 1e6 - this.clock.nanos;
  }

  // Something has come: the board need not wait for its next alarm.
  wake() {
    if (this.timer !== null) {
      clearTimeout(this.timer);
      this.timer = null;
      setImmediate(this.turn);
    }
  }

  turn() {
    const { core } = this.mcu;
    const until = performance.now() + 5;
    this.timer = null;
    do {
      this.feed();
      for (let i = 0; i < 1000 && this.runs; i++) {
        if (core.waiting) {
          if (!this.sleep(core)) return;
        } else {
          this.clock.tick(core.executeInstruction() * NANOS_PER_CYCLE);
        }
      }
    } while (this.runs && performance.now() < until);
    this.flush();
    if (this.runs) setImmediate(this.turn);
  }

  // To the next alarm, if its time has come; else node sleeps, and false is returned.
  sleep(core) {
    const alarm = this.clock.nanosToNextAlarm;
    const behind = this.behind();
    if (alarm > behind) {
      this.flush();
      this.timer = setTimeout(this.turn, Math.ceil((alarm - behind) / 1e6));
      this.clock.tick(Math.max(0, behind));
      return false;
    }
    this.clock.tick(alarm);
    if (core.interruptsUpdated && core.checkForInterrupts()) core.waiting = false;
    return true;
  }
}

// --- Links -----------------------------------------------------------------------------------------

// A TCP port that takes one program at a time. onBytes: what it sends; onOpen(is open).
function serialPort(where, ready, onBytes, onOpen) {
  const [host, port, wait] = where.match(/^(.*):(\d+),wait=(on|off)$/)?.slice(1) ?? fail(where + ': HOST:PORT,wait=off');
  let client = null;
  const server = net.createServer({ noDelay: true }, (socket) => {
    if (client) return socket.destroy();
    client = socket;
    ready();
    onOpen(true);
    socket.on('data', onBytes);
    socket.on('error', () => {});
    socket.on('close', () => {
      client = null;
      onOpen(false);
    });
  });
  server.on('error', (error) => fail(error.message));
  server.listen(Number(port), host, () => {
    console.error('emulate: waiting for connection on ' + host + ':' + port);
    if (wait === 'off') ready();
  });
  return (bytes) => client && client.write(bytes);
}

// What comes from the board byte by byte, and goes on in pieces.
function collect(machine, write) {
  let bytes = [];
  machine.flush = () => {
    if (bytes.length) write(Buffer.from(bytes));
    bytes = [];
  };
  return (byte) => bytes.push(byte);
}

function joinUart(machine, where, ready) {
  const uart = machine.mcu.uart[0];
  const waiting = [];
  const write = serialPort(
    where,
    ready,
    (bytes) => {
      for (const byte of bytes) waiting.push(byte);
      machine.wake();
    },
    () => {},
  );
  uart.onByte = collect(machine, write);
  machine.feed = () => {
    while (waiting.length && !uart.rxFIFO.full) uart.feedByte(waiting.shift());
  };
}

function joinCdc(machine, where, ready) {
  const cdc = new UsbCdc(machine.mcu, () => machine.wake());
  const write = serialPort(
    where,
    ready,
    (bytes) => cdc.send(bytes),
    (isOpen) => cdc.open(isOpen),
  );
  cdc.onBytes = (bytes) => write(bytes);
  process.on('SIGHUP', () => cdc.replug());
  process.on('SIGUSR2', () => cdc.setRate(1200));
}

// QEMU without a machine: its user-mode network behind a socket of ours, each frame after its length of 4 bytes. The
// shell ends it when this program ends, however it does.
function joinNcm(machine, where, ready) {
  const arguments_ = ['-M', 'none', '-display', 'none', '-monitor', 'none', '-serial', 'none'];
  const user = 'user,id=u,net=10.77.0.0/24,host=10.77.0.2,dns=10.77.0.3,dhcpstart=10.77.0.100,hostfwd=tcp:' + where + '-10.77.0.1:50051';
  arguments_.push('-netdev', user, '-netdev', 'hubport,id=h1,hubid=0,netdev=u');
  arguments_.push('-netdev', 'socket,id=s,fd=3', '-netdev', 'hubport,id=h2,hubid=0,netdev=s');
  const shell = '"$@" <&- & child=$!; trap "kill $child" TERM; cat >/dev/null; kill $child';
  const qemu = spawn('sh', ['-c', shell, 'sh', 'qemu-system-arm', ...arguments_], { stdio: ['pipe', 'inherit', 'inherit', 'pipe'] });
  qemu.on('exit', () => fail("QEMU's network has ended; its message is above"));
  const hub = qemu.stdio[3];
  const ncm = new UsbNcm(machine.mcu, () => machine.wake());
  let came = Buffer.alloc(0);
  hub.on('data', (bytes) => {
    came = Buffer.concat([came, bytes]);
    while (came.length >= 4 && came.length >= 4 + came.readUInt32BE(0)) {
      const end = 4 + came.readUInt32BE(0);
      ncm.send(came.subarray(4, end));
      came = came.subarray(end);
    }
  });
  hub.on('error', () => {});
  ncm.onFrame = (frame) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(frame.length);
    hub.write(Buffer.concat([length, frame]));
  };
  process.on('SIGHUP', () => ncm.replug());
  ready();
}

// gdb at a TCP port of this machine, by rp2040js's own server: the board runs when gdb says so.
function serveGdb({ GDBServer, GDBConnection }, machine, port) {
  const target = {
    rp2040: machine.mcu,
    get executing() {
      return machine.runs;
    },
    execute: () => machine.start(),
    stop: () => machine.stop(),
  };
  const gdb = new GDBServer(target);
  const server = net.createServer({ noDelay: true }, (socket) => {
    const connection = new GDBConnection(gdb, (text) => socket.write(text));
    socket.on('data', (text) => connection.feedData(text.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => gdb.removeConnection(connection));
  });
  server.on('error', (error) => fail(error.message));
  server.listen(Number(port), '127.0.0.1', () => console.error('emulate: gdb may come to 127.0.0.1:' + port));
}

const LINKS = { '--uart': joinUart, '--usb-cdc': joinCdc, '--usb-ncm': joinNcm };

async function main() {
  const [link, where, image, gdb, gdbPort] = process.argv.slice(2);
  if (!LINKS[link] || !image) fail('use: emulate.mjs --uart|--usb-cdc|--usb-ncm HOST:PORT[,wait=off] IMAGE');
  if (!fs.existsSync(LIBRARY)) fail('rp2040js is not installed: make build/rp2040js/ready');
  const library = await import(pathToFileURL(LIBRARY));
  const machine = new Machine(library, image);
  machine.mcu.uart[0].onByte = collect(machine, (bytes) => process.stdout.write(bytes));
  let started = gdb === '--gdb';
  if (started) serveGdb(library, machine, gdbPort);
  LINKS[link](machine, where, () => {
    if (!started) machine.start();
    started = true;
  });
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
}

main();
