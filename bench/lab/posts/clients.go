package posts

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/bench/epoll"
	"github.com/stormwheel/stormwheel/codec"
)

const (
	probePrefix = "probe"
	probes      = 16
	probeEvery  = 2 * time.Millisecond
	// readEvery is how often what has come is read. A reader that sleeps in epoll would be woken
	// by each write, and the writer pays for that: it would be a measurement of wake-ups.
	readEvery = time.Millisecond
)

// crowd is clients that read all they are sent and say nothing. Owned by one goroutine.
type crowd struct {
	poller *epoll.Poller
	fds    []int
	buf    []byte
	bytes  int // read
}

// join brings clients to a node, one after the other.
func join(target string, n int) (*crowd, error) {
	addr, err := netip.ParseAddrPort(target)
	if err != nil {
		return nil, err
	}
	c := &crowd{buf: make([]byte, 64<<10)}
	if c.poller, err = epoll.Open(); err != nil {
		return nil, err
	}
	for i := range n {
		hello, err := helloOf(fmt.Sprint("m", i))
		if err != nil {
			return nil, err
		}
		fd, _, err := epoll.Dial(addr, netip.Addr{}) // over loopback it is done
		if err != nil {
			return nil, err
		}
		if _, _, err := epoll.Write(fd, hello); err != nil {
			return nil, err
		}
		if err := c.poller.Watch(fd, uint32(i), 1, false, true); err != nil {
			return nil, err
		}
		c.fds = append(c.fds, fd)
		if i%256 == 255 { // the accept queue has room for these
			time.Sleep(5 * time.Millisecond)
		}
	}
	return c, nil
}

// read reads all that has come.
func (c *crowd) read() error {
	for {
		events, err := c.poller.Wait(0)
		if err != nil {
			return err
		}
		for i := range events {
			if r := c.poller.At(i); !r.Woken {
				n, blocked, _ := epoll.Read(c.fds[r.Client], c.buf)
				if c.bytes += max(n, 0); n <= 0 && !blocked {
					epoll.Close(c.fds[r.Client], true)
				}
			}
		}
		if events < epoll.BatchEvents {
			return nil
		}
	}
}

// clients holds n clients and, beside them, probes that ask for PONGs while messages flow. It
// returns when the server ends.
func clients(target string, n int) (map[string]float64, error) {
	c, err := join(target, n)
	if err != nil {
		return nil, err
	}
	defer c.poller.Close()
	var flows atomic.Bool
	var last time.Time // when something came
	over := false
	told := make(chan []float64, 1)
	failed := make(chan error, 1)
	go func() {
		if rtts, err := probe(target, &flows); err != nil {
			failed <- err
		} else {
			told <- rtts
		}
	}()
	for {
		select {
		case err := <-failed:
			return nil, err
		case rtts := <-told:
			slices.Sort(rtts)
			return map[string]float64{"rtt_p50_ms": rtts[len(rtts)/2], "rtt_p99_ms": rtts[len(rtts)*99/100]}, nil
		default:
		}
		before := c.bytes
		if err := c.read(); err != nil {
			return nil, err
		}
		switch {
		case c.bytes > before:
			last = time.Now()
			if c.bytes > 400*n && !over { // more than WELCOMEs
				flows.Store(true)
			}
		case flows.Load() && time.Since(last) > calm/3:
			over = true
			flows.Store(false)
		}
		time.Sleep(readEvery)
	}
}

// probe is clients that take turns to ask for a PONG, until the first of them has no
// connection any more. The times are in milliseconds, from the write.
func probe(target string, flows *atomic.Bool) (rtts []float64, err error) {
	var all []net.Conn
	for i := range probes {
		conn, err := net.Dial("tcp", target)
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		hello, err := helloOf(fmt.Sprint(probePrefix, i))
		if err != nil {
			return nil, err
		}
		if _, err := conn.Write(hello); err != nil {
			return nil, err
		}
		all = append(all, conn)
	}
	buf := make([]byte, 4096)
	for _, conn := range all {
		if _, err := conn.Read(buf); err != nil {
			return nil, err
		}
	}
	ping := codec.AppendPing(nil, 1, 0)
	for i := 0; ; i++ {
		conn := all[i%len(all)]
		during := flows.Load()
		began := time.Now()
		_, err := conn.Write(ping)
		if err == nil {
			_, err = conn.Read(buf)
		}
		if err != nil && len(rtts) > 0 {
			return rtts, nil
		}
		if err != nil {
			return nil, err
		}
		if during && flows.Load() {
			rtts = append(rtts, time.Since(began).Seconds()*1000)
		}
		time.Sleep(probeEvery)
	}
}

func helloOf(id string) ([]byte, error) {
	return codec.AppendHello(nil, &codec.HelloMessage{MinVersion: codec.ProtocolVersion, MaxVersion: codec.ProtocolVersion, ClientID: []byte(id)})
}
