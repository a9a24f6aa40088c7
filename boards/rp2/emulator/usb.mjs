// boards/rp2/emulator/usb.mjs - a USB host at rp2040js's controller: enumerates, and drives a serial port or a network card.
// Layer: board. Source: USB 2.0 chapters 5 and 9; CDC 1.2, PSTN 1.2, NCM 1.0 (USB-IF); rp2040js 1.4.1.
// SPDX-License-Identifier: Apache-2.0

const PACKET_BYTES = 64; // of a bulk endpoint, and of endpoint 0
const CONTROL_PAUSE_NANOS = 100000;
const DEVICE_TO_HOST = 0x80;
const CLASS_INTERFACE = 0x21; // class request, to an interface
const STANDARD = { getDescriptor: 6, setAddress: 5, setConfiguration: 9, setInterface: 11 };
const DESCRIPTOR = { device: 1, configuration: 2, string: 3, interface: 4, endpoint: 5, classInterface: 36 };
const CDC = { setLineCoding: 0x20, setControlLineState: 0x22, getNtbParameters: 0x80 };
const ETHERNET_FUNCTION = 0x0f;
const EARLY_FRAMES = 16;
const DHCP_EXCHANGE = 0x6e525043;
const STATION = Buffer.from([0x02, 0x52, 0x50, 0x43, 0x20, 0x41]); // who asks for an address

function setup(kind, request, value, index, length) {
  const packet = Buffer.alloc(8);
  packet[0] = kind;
  packet[1] = request;
  packet.writeUInt16LE(value, 2);
  packet.writeUInt16LE(index, 4);
  packet.writeUInt16LE(length, 6);
  return packet;
}

// rp2040js hands over buffer 1 of an IN transfer with two buffers before buffer 0, so that every second packet of 64
// bytes comes first. The USB controller of the chip begins with buffer 0 (RP2040 data sheet, 4.1.2.5.1): so does this.
function mendDoubleBuffers(mcu) {
  const usb = mcu.usbCtrl;
  const before = usb.DPRAMUpdated.bind(usb);
  const [available, full, length] = [1 << 10, 1 << 15, 0x3ff];
  usb.DPRAMUpdated = (offset, value) => {
    const isIn = offset >= 0x88 && offset < 0x100 && !(offset & 4);
    if (!isIn || !(value & available) || !((value >>> 16) & available)) return before(offset, value);
    const endpoint = (offset - 0x80) >> 3;
    const at = usb.getEndpointBufferOffset(endpoint, false);
    const first = mcu.usbDPRAM.slice(at, at + (value & length));
    const second = mcu.usbDPRAM.slice(at + 64, at + 64 + ((value >>> 16) & length));
    const both = available | full;
    mcu.usbDPRAMView.setUint32(offset, value & ~both & ~(both << 16), true);
    usb.indicateBufferReady(endpoint, false);
    usb.onEndpointWrite(endpoint, first);
    usb.onEndpointWrite(endpoint, second);
  };
}

class UsbHost {
  // wake: the board may have something to do.
  constructor(mcu, wake) {
    this.usb = mcu.usbCtrl;
    this.wake = wake;
    mendDoubleBuffers(mcu);
    this.usb.onUSBEnabled = () => this.usb.resetDevice();
    this.usb.onResetReceived = () => this.plugged();
    this.usb.onEndpointWrite = (endpoint, bytes) => this.came(endpoint, bytes);
    this.usb.onEndpointRead = (endpoint) => this.wanted(endpoint);
    this.pause = mcu.clock.createAlarm(() => this.controls.length && this.usb.sendSetupPacket(this.controls[0].packet));
    this.unplugged();
  }

  unplugged() {
    this.controls = []; // transfers to come; the first one is on its way
    this.endpoints = { in: 0, out: 0 };
    this.isWanted = false; // the device waits for a packet
    this.packets = []; // for it
    this.isUp = false;
  }

  replug() {
    this.unplugged();
    this.usb.resetDevice();
    this.wake();
  }

  plugged() {
    this.unplugged();
    this.enumerate().catch((error) => {
      console.error('emulate: USB: ' + error.message);
      process.exit(1);
    });
  }

  // --- Endpoint 0 ---

  // A control transfer; data: what goes to the device. Resolves to what came from it.
  control(packet, data = Buffer.alloc(0)) {
    return new Promise((done) => {
      const toCome = packet[0] & DEVICE_TO_HOST ? packet.readUInt16LE(6) : 0;
      this.controls.push({ packet, data, toCome, came: [], isWanted: false, done });
      if (this.controls.length === 1) this.begin();
    });
  }

  // A little later: the packet before must have reached the device.
  begin() {
    this.pause.schedule(CONTROL_PAUSE_NANOS);
    this.wake();
  }

  end() {
    const { came, done } = this.controls.shift();
    done(Buffer.concat(came));
    if (this.controls.length) this.begin();
  }

  cameControl(bytes) {
    const now = this.controls[0];
    if (!now) return;
    if (!(now.packet[0] & DEVICE_TO_HOST)) return this.end(); // the device's status
    now.came.push(Buffer.from(bytes));
    now.toCome -= bytes.length;
    if (bytes.length < PACKET_BYTES) now.toCome = 0;
    this.status();
  }

  // Ours, when the device waits for it and all has come; the one can be seen before the other.
  status() {
    const now = this.controls[0];
    if (!now.isWanted || now.toCome > 0) return;
    this.usb.endpointReadDone(0, new Uint8Array(0));
    this.end();
  }

  wantedControl() {
    const now = this.controls[0];
    if (!now) return;
    if (now.packet[0] & DEVICE_TO_HOST) {
      now.isWanted = true;
      this.status();
    } else {
      this.usb.endpointReadDone(0, new Uint8Array(now.data));
    }
  }

  getDescriptor(kind, index, length, language = 0) {
    return this.control(setup(DEVICE_TO_HOST, STANDARD.getDescriptor, (kind << 8) | index, language, length));
  }

  async getString(index) {
    if (index === 0) return '';
    const descriptor = await this.getDescriptor(DESCRIPTOR.string, index, 255, 0x0409);
    return descriptor.subarray(2, descriptor[0]).toString('utf16le');
  }

  // As a host does it: the device's numbers and names, and its only configuration.
  async enumerate() {
    await this.getDescriptor(DESCRIPTOR.device, 0, PACKET_BYTES);
    await this.control(setup(0, STANDARD.setAddress, 1, 0, 0));
    const device = await this.getDescriptor(DESCRIPTOR.device, 0, 18);
    const length = (await this.getDescriptor(DESCRIPTOR.configuration, 0, 9)).readUInt16LE(2);
    const configuration = await this.getDescriptor(DESCRIPTOR.configuration, 0, length);
    if (device.length !== 18 || configuration.length !== length) throw new Error('a descriptor is not whole');
    const number = (at) => device.readUInt16LE(at).toString(16).padStart(4, '0');
    const names = [];
    for (const index of [14, 15, 16]) names.push(await this.getString(device[index]));
    console.error('emulate: USB ' + number(8) + ':' + number(10) + ', ' + names.join(', '));
    await this.control(setup(0, STANDARD.setConfiguration, configuration[5], 0, 0));
    for (let at = 0; at < length; at += configuration[at]) {
      const [size, kind, address, attributes] = configuration.subarray(at, at + 4);
      if (size === 0) throw new Error('a descriptor is not whole');
      if (kind === DESCRIPTOR.endpoint && attributes === 2) {
        this.endpoints[address & DEVICE_TO_HOST ? 'in' : 'out'] = address & 15;
      }
    }
    await this.start(configuration);
    this.isUp = true;
    this.pump();
  }

  // --- Bulk endpoints ---

  came(endpoint, bytes) {
    if (endpoint === 0) this.cameControl(bytes);
    else if (endpoint === this.endpoints.in) this.receive(Buffer.from(bytes));
  }

  wanted(endpoint) {
    if (endpoint === 0) return this.wantedControl();
    this.isWanted = true; // of bulk endpoints that receive there is one
    this.pump();
  }

  pump() {
    if (this.isWanted && this.isUp && this.packets.length) {
      this.isWanted = false;
      this.usb.endpointReadDone(this.endpoints.out, new Uint8Array(this.packets.shift()));
      this.wake();
    }
  }

  // One transfer: packets, of which the last one is not full.
  transfer(bytes) {
    for (let at = 0; at <= bytes.length; at += PACKET_BYTES) this.packets.push(bytes.subarray(at, at + PACKET_BYTES));
    this.pump();
  }
}

// A serial port, which a program opens and closes.
export class UsbCdc extends UsbHost {
  isOpen = false;
  onBytes = () => {};

  async start() {
    await this.setRate(115200);
    await this.setLineState();
  }

  setRate(rate) {
    const coding = Buffer.from([0, 0, 0, 0, 0, 0, 8]); // 8N1
    coding.writeUInt32LE(rate, 0);
    return this.control(setup(CLASS_INTERFACE, CDC.setLineCoding, 0, 0, coding.length), coding);
  }

  setLineState() {
    return this.control(setup(CLASS_INTERFACE, CDC.setControlLineState, this.isOpen ? 3 : 0, 0, 0)); // DTR, RTS
  }

  open(isOpen) {
    this.isOpen = isOpen;
    this.packets = [];
    if (this.isUp) this.setLineState();
  }

  // As Linux does it: a packet is what is there, up to 64 bytes; no end is marked.
  send(bytes) {
    for (let at = 0; at < bytes.length; at += PACKET_BYTES) this.packets.push(bytes.subarray(at, at + PACKET_BYTES));
    this.pump();
  }

  receive(bytes) {
    if (bytes.length && this.isOpen) this.onBytes(bytes);
  }
}

// A network card: Ethernet frames in the transfer blocks of NCM 1.0, with 16-bit numbers.
export class UsbNcm extends UsbHost {
  onFrame = () => {};
  sequence = 0;
  block = [];
  early = []; // frames that came before the board was set up: else their senders would wait for seconds to send them again

  async start(configuration) {
    for (let at = 0; at < configuration.length; at += configuration[at]) {
      if (configuration[at + 1] === DESCRIPTOR.classInterface && configuration[at + 2] === ETHERNET_FUNCTION) {
        console.error('emulate: USB network, our address is ' + (await this.getString(configuration[at + 3])));
      }
    }
    const parameters = await this.control(setup(DEVICE_TO_HOST | CLASS_INTERFACE, CDC.getNtbParameters, 0, 0, 28));
    this.mostBytes = parameters.readUInt32LE(16);
    this.block = [];
    await this.control(setup(1, STANDARD.setInterface, 1, 1, 0));
    this.askAddress();
  }

  // As the host that gets its address from the board does (RFC 2131); the answer is told, and not used: the machines
  // behind this host have addresses.
  askAddress() {
    const dhcp = Buffer.alloc(300);
    dhcp.set([1, 1, 6]); // a request, on Ethernet
    dhcp.writeUInt32BE(DHCP_EXCHANGE, 4);
    dhcp.set(STATION, 28);
    dhcp.set([0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255], 236); // DISCOVER
    const ip = Buffer.alloc(20 + 8);
    ip.set([0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17]);
    ip.writeUInt16BE(ip.length + dhcp.length, 2);
    ip.fill(0xff, 16, 20); // to all
    let sum = 0;
    for (let at = 0; at < 20; at += 2) sum += ip.readUInt16BE(at);
    ip.writeUInt16BE(~(sum + (sum >>> 16)) & 0xffff, 10);
    [68, 67, 8 + dhcp.length, 0].forEach((number, i) => ip.writeUInt16BE(number, 20 + 2 * i));
    const ethernet = Buffer.concat([Buffer.alloc(6, 0xff), STATION, Buffer.from([8, 0])]);
    this.isUp = true;
    this.send(Buffer.concat([ethernet, ip, dhcp]));
    this.early.splice(0).forEach((frame) => this.send(frame));
  }

  // 1: it was the answer to that.
  tellAddress(frame) {
    if (frame.length < 282 || frame.readUInt16BE(12) !== 0x800 || frame[23] !== 17 || frame.readUInt16BE(36) !== 68) return false;
    const option = frame.indexOf(Buffer.from([53, 1, 2]), 278); // OFFER
    if (frame.readUInt32BE(46) !== DHCP_EXCHANGE || option < 0) return false;
    console.error('emulate: DHCP offers ' + [...frame.subarray(58, 62)].join('.'));
    return true;
  }

  // A block with one frame: its header, the table of frames, the frame.
  send(frame) {
    if (!this.isUp) {
      if (this.early.length < EARLY_FRAMES) this.early.push(Buffer.from(frame));
      return;
    }
    const block = Buffer.alloc(28 + frame.length);
    if (block.length > this.mostBytes) return;
    block.write('NCMH', 0, 'latin1');
    [12, this.sequence++ & 0xffff, block.length, 12].forEach((number, i) => block.writeUInt16LE(number, 4 + 2 * i));
    block.write('NCM0', 12, 'latin1');
    [16, 0, 28, frame.length, 0, 0].forEach((number, i) => block.writeUInt16LE(number, 16 + 2 * i));
    block.set(frame, 28);
    this.transfer(block);
  }

  receive(bytes) {
    this.block.push(bytes);
    if (bytes.length === PACKET_BYTES) return;
    const block = Buffer.concat(this.block);
    this.block = [];
    if (block.length) this.unpack(block);
  }

  unpack(block) {
    if (block.toString('latin1', 0, 4) !== 'NCMH' || block.readUInt16LE(8) !== block.length) throw new Error('no NCM block');
    for (let table = block.readUInt16LE(10); table; table = block.readUInt16LE(table + 6)) {
      for (let at = table + 8; block.readUInt16LE(at); at += 4) {
        const start = block.readUInt16LE(at);
        const frame = block.subarray(start, start + block.readUInt16LE(at + 2));
        if (!this.tellAddress(frame)) this.onFrame(frame);
      }
    }
  }
}
