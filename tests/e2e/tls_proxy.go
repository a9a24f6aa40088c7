// tests/e2e/tls_proxy.go - TCP in, TLS out, by Go's crypto/tls, whose ClientHello begins with X25519MLKEM768.
// Layer: tests; test_tls_go.py builds it. Source: RFC 8446 4.1.4, 4.2.8; draft-ietf-tls-ecdhe-mlkem.
// SPDX-License-Identifier: Apache-2.0

// Use: tls_proxy HOST:PORT CA.pem   It prints the port that it listens on, then for each link: the version and group,
// and whether the server asked for another share. It ends with its standard input.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
)

// What RFC 8446 4.1.3 has in the place of a HelloRetryRequest's random.
var retryRandom = []byte{0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91}

// A key_share entry's beginning: the group, 1216 bytes.
var hybridShare = []byte{0x11, 0xEC, 0x04, 0xC0}

type recorded struct {
	net.Conn
	sent, received bytes.Buffer
}

func (c *recorded) Write(b []byte) (int, error) {
	if c.sent.Len() < 4096 {
		c.sent.Write(b)
	}
	return c.Conn.Write(b)
}

func (c *recorded) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.received.Len() < 4096 {
		c.received.Write(b[:n])
	}
	return n, err
}

func relay(in net.Conn, to string, config *tls.Config) {
	defer in.Close()
	link, err := net.Dial("tcp", to)
	if err != nil {
		fmt.Println("dial:", err)
		return
	}
	defer link.Close()
	record := &recorded{Conn: link}
	out := tls.Client(record, config)
	if err := out.Handshake(); err != nil {
		fmt.Println("handshake:", err)
		return
	}
	state := out.ConnectionState()
	fmt.Printf("version=%x alpn=%s hybrid=%t retry=%t\n", state.Version, state.NegotiatedProtocol,
		bytes.Contains(record.sent.Bytes(), hybridShare), bytes.Contains(record.received.Bytes(), retryRandom))
	go func() {
		io.Copy(out, in)
		out.Close()
	}()
	io.Copy(in, out)
}

func main() {
	pem, err := os.ReadFile(os.Args[2])
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		fmt.Println("no CA:", err)
		os.Exit(1)
	}
	config := &tls.Config{RootCAs: roots, ServerName: "localhost", NextProtos: []string{"h2"},
		CurvePreferences: []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for {
		in, err := listener.Accept()
		if err != nil {
			return
		}
		go relay(in, os.Args[1], config)
	}
}
