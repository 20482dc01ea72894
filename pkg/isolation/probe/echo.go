package probe

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
)

// Types of ICMP messages (RFC 792, RFC 4443).
const (
	echoRequest4 = 8
	echoReply4   = 0
	echoRequest6 = 128
	echoReply6   = 129
)

const (
	echoHeader = 8
	// tokenLength is long enough that nobody guesses it.
	tokenLength = 16
)

// echo is one series of ICMP echo requests to one machine.
type echo struct {
	v6       bool
	kernelID bool   // the kernel sets the ID and compares it
	id       uint16 // of this series
	token    [tokenLength]byte
	sent     uint16 // how many requests were sent
}

// newEcho makes a series with an ID and a token of its own.
func newEcho(v6, kernelID bool) *echo {
	e := &echo{v6: v6, kernelID: kernelID}
	var id [2]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	_, _ = rand.Read(e.token[:])
	e.id = binary.BigEndian.Uint16(id[:])
	return e
}

// request is the request with a number from 0. For IPv6 the kernel computes the checksum.
func (e *echo) request(number int) []byte {
	e.sent = uint16(number) + 1
	m := make([]byte, echoHeader+tokenLength)
	m[0] = echoRequest4
	if e.v6 {
		m[0] = echoRequest6
	}
	binary.BigEndian.PutUint16(m[4:], e.id)
	binary.BigEndian.PutUint16(m[6:], uint16(number))
	copy(m[echoHeader:], e.token[:])
	if !e.v6 {
		binary.BigEndian.PutUint16(m[2:], checksum(m))
	}
	return m
}

// isReply reports whether a message answers a request of this series.
func (e *echo) isReply(m []byte) bool {
	reply := byte(echoReply4)
	if e.v6 {
		reply = echoReply6
	}
	return len(m) == echoHeader+tokenLength && m[0] == reply && m[1] == 0 &&
		(e.kernelID || binary.BigEndian.Uint16(m[4:]) == e.id) &&
		binary.BigEndian.Uint16(m[6:]) < e.sent &&
		bytes.Equal(m[echoHeader:], e.token[:])
}

// checksum is that of RFC 1071 over a message of even length.
func checksum(m []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(m); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(m[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
