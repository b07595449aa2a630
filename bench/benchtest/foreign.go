package benchtest

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// Broker deals with a connection as a broker does, the n-th from 1 with what answer
// says for its CONNACK. words goes out before each PINGRESP. It drops nobody for silence.
func Broker(answer func(n int) byte, words string) func(c *net.TCPConn, n int) bool {
	return broker(answer, words, false)
}

// EvictingBroker takes everybody, and drops who is silent for one and a half keepalives.
func EvictingBroker() func(c *net.TCPConn, n int) bool { return broker(Accept, "", true) }

func broker(answer func(n int) byte, words string, evicts bool) func(c *net.TCPConn, n int) bool {
	return func(c *net.TCPConn, n int) bool {
		r := bufio.NewReader(c)
		patience := Patience
		for {
			_ = c.SetReadDeadline(time.Now().Add(patience))
			kind, err := r.ReadByte()
			if err != nil {
				return true
			}
			length, _ := binary.ReadUvarint(r) // which is what MQTT has, too
			body := make([]byte, length)
			if _, err := io.ReadFull(r, body); err != nil {
				return true
			}
			switch kind {
			case 0x10: // CONNECT
				if evicts {
					patience = time.Duration(body[9]) * time.Second * 3 / 2
				}
				c.Write([]byte{0x20, 2, 0, answer(n)})
				if answer(n) != 0 {
					return true
				}
			case 0x32: // PUBLISH, of quality of service 1
				topic := int(binary.BigEndian.Uint16(body))
				c.Write([]byte{0x40, 2, body[2+topic], body[3+topic]})
			case 0xc0: // PINGREQ
				for _, b := range []byte(words + "\xd0\x00") { // as small as TCP can carry it
					c.Write([]byte{b})
				}
			default:
				return true
			}
		}
	}
}

// Accept is the answer of a Broker that takes everybody.
func Accept(int) byte { return 0 }

// StartEcho is a server that sends back what it gets, and closes who says nothing for so long.
func StartEcho(t *testing.T, idle time.Duration) *Node {
	return Start(t, &Node{Meet: func(c *net.TCPConn, _ int) bool {
		b := make([]byte, 64)
		for {
			_ = c.SetReadDeadline(time.Now().Add(idle))
			n, err := c.Read(b)
			if err != nil {
				return true
			}
			for piece := range slices.Chunk(b[:n], 3) {
				c.Write(piece)
			}
		}
	}})
}
