package flood

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/stormwheel/stormwheel/bench/epoll"
	"github.com/stormwheel/stormwheel/codec"
)

// ReadEvery is how often what has come is to be read. A reader that sleeps in epoll would be woken
// by each write, and the writer pays for that: it would be a measurement of wake-ups.
const ReadEvery = time.Millisecond

// Greeting is how a client of a server says that it is there.
type Greeting func(id string) (first, second []byte)

// Crowd is clients that read all they are sent and say nothing. Owned by one goroutine.
type Crowd struct {
	// Mark is a byte to be counted in what is read.
	Mark byte

	poller *epoll.Poller
	fds    []int
	second [][]byte // what each has still to say, when it has an answer to an upgrade
	buf    []byte
	bytes  int
	marks  int
}

// Join brings clients to a server, one after the other. What greeting says second, they say when
// they have an answer, the whole of it if it is one to an HTTP request.
func Join(target string, n int, greeting Greeting) (*Crowd, error) {
	addr, err := netip.ParseAddrPort(target)
	if err != nil {
		return nil, err
	}
	c := &Crowd{buf: make([]byte, 64<<10), second: make([][]byte, n)}
	if c.poller, err = epoll.Open(); err != nil {
		return nil, err
	}
	for i := range n {
		fd, _, err := epoll.Dial(addr, source(i))
		if err != nil {
			return nil, err
		}
		var first []byte
		first, c.second[i] = greeting(fmt.Sprint("m", i))
		if err := Say(fd, first); err != nil {
			return nil, err
		}
		if err := c.poller.Watch(fd, uint32(i), 1, false, true); err != nil {
			return nil, err
		}
		c.fds = append(c.fds, fd)
		if i%256 == 255 { // the accept queue has room for these
			time.Sleep(5 * time.Millisecond)
			if err := c.Read(); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// source is where a client comes from. The kernel tries half of an address's ports before the others, one by one: beyond
// that many connections to one server each costs a millisecond.
func source(client int) netip.Addr {
	const each = 10_000
	return netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + client/each)})
}

// Say writes the first words of a connection, which wait if a full accept queue has dropped its SYN.
func Say(fd int, words []byte) error {
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); time.Sleep(ReadEvery) {
		if _, blocked, err := epoll.Write(fd, words); err != nil || !blocked {
			return err
		}
	}
	return errors.New("no connection within 10 s")
}

// Close forgets them; the process is about to end.
func (c *Crowd) Close() { c.poller.Close() }

// Bytes is how many have been read, and Marks how often Mark was among them.
func (c *Crowd) Bytes() int { return c.bytes }

// Marks is how often Mark was read.
func (c *Crowd) Marks() int { return c.marks }

// Read reads all that has come.
func (c *Crowd) Read() error {
	for {
		events, err := c.poller.Wait(0)
		if err != nil {
			return err
		}
		for i := range events {
			if r := c.poller.At(i); !r.Woken {
				c.readOne(int(r.Client))
			}
		}
		if events < epoll.BatchEvents {
			return nil
		}
	}
}

func (c *Crowd) readOne(client int) {
	n, blocked, _ := epoll.Read(c.fds[client], c.buf)
	if n <= 0 {
		if !blocked {
			epoll.Close(c.fds[client], true)
		}
		return
	}
	c.bytes += n
	if c.Mark != 0 {
		c.marks += bytes.Count(c.buf[:n], []byte{c.Mark})
	}
	if words := c.second[client]; words != nil && answered(c.buf[:n]) {
		c.second[client] = nil
		_, _, _ = epoll.Write(c.fds[client], words)
	}
}

func answered(in []byte) bool {
	return !bytes.HasPrefix(in, []byte("HTTP/")) || bytes.HasSuffix(in, []byte("\r\n\r\n"))
}

// Hello greets a server of ours.
func Hello(id string) (first, second []byte) {
	first, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: codec.ProtocolVersion, MaxVersion: codec.ProtocolVersion, ClientID: []byte(id)})
	if err != nil {
		panic(err) // the id is one of ours
	}
	return first, nil
}
