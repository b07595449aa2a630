package client

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// zone answers for names, as a name server over TCP does; names that it does not have do not
// exist.
type zone map[string][]string

// install makes the zone the only thing that names are looked up in.
func (z zone) install(t *testing.T) {
	was := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = was })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go z.serve(far)
		return near, nil
	}}
}

func (z zone) serve(c net.Conn) {
	defer c.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, query); err != nil {
			return
		}
		reply := z.reply(query)
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

// reply is RFC 1035's, section 4.1, for one question.
func (z zone) reply(query []byte) []byte {
	var labels []string
	i := 12
	for ; query[i] != 0; i += 1 + int(query[i]) {
		labels = append(labels, string(query[i+1:i+1+int(query[i])]))
	}
	question := query[12 : i+5]
	kind := binary.BigEndian.Uint16(query[i+1:])
	var answers []byte
	count := 0
	all, known := z[strings.Join(labels, ".")]
	for _, text := range all {
		a := netip.MustParseAddr(text)
		if (kind == 1) != a.Is4() || (kind == 28) != a.Is6() {
			continue
		}
		count++
		answers = append(answers, 0xc0, 12)
		answers = binary.BigEndian.AppendUint16(answers, kind)
		answers = append(answers, 0, 1, 0, 0, 0, 0)
		answers = binary.BigEndian.AppendUint16(answers, uint16(a.BitLen()/8))
		answers = append(answers, a.AsSlice()...)
	}
	head := []byte{query[0], query[1], 0x84, 0, 0, 1, 0, byte(count), 0, 0, 0, 0}
	if !known {
		head[3] = 3
	}
	return append(append(head, question...), answers...)
}

// patient is a client for whom every wait is longer than the test.
func patient(endpoints ...string) Config {
	return Config{Endpoints: endpoints, BackoffMin: time.Hour, BackoffMax: time.Hour}
}

// noWay is where no route leads from any machine.
const noWay = "255.255.255.255"

func TestADeadAddressLeadsToTheNextOfItsNameAtOnce(t *testing.T) {
	noLeaks(t)
	a := listen(t, quick)
	_, port, _ := net.SplitHostPort(a.Addr().String())
	zone{"edge.test": {"127.0.0.2", "127.0.0.3", noWay, "127.0.0.1", "127.0.0.4", "2001:db8::1"}}.install(t)
	for range 5 {
		c, ran := run(t, patient("edge.test:"+port))
		eventually(t, "ready", func() bool { return c.Info().State == Ready })
		if i := c.Info(); i.Dials > 6 || i.Endpoint != "edge.test:"+port {
			t.Errorf("Info = %+v, want six dials at most", i)
		}
		end(t, c, ran)
	}
}

func TestANameThatDoesNotExistKeepsNobodyAway(t *testing.T) {
	noLeaks(t)
	a := listen(t, quick)
	zone{"empty.test": nil}.install(t)
	for range 5 {
		c, ran := run(t, patient("gone.test:7000", a.Addr().String(), "empty.test:7000"))
		eventually(t, "ready", func() bool { return c.Info().State == Ready })
		end(t, c, ran)
	}
}

// The node dies and is back; the alternate that it named was never to be reached.
func TestAnAlternateWithoutARouteKeepsNobodyAway(t *testing.T) {
	noLeaks(t)
	serve := func(p *peer) {
		if _, err := p.welcome(codec.WelcomeMessage{Terms: codec.Terms{Interval: time.Second, Timeout: 5 * time.Second,
			Window: 50 * time.Millisecond}, Alternates: []byte(noWay + ":7000")}); err == nil {
			p.serve()
		}
	}
	a := listen(t, serve)
	addr := a.Addr().String()
	c, ran := run(t, Config{Endpoints: []string{addr}})
	defer end(t, c, ran)
	eventually(t, "ready", func() bool { return c.Info().State == Ready })
	a.kill()
	eventually(t, "lost", func() bool { return c.Info().Losses == 1 })
	listenAt(t, addr, serve)
	eventually(t, "ready again", func() bool { return c.Info().State == Ready && c.Info().Sessions == 2 })
}

func TestAlternatesAreIgnoredOnRequest(t *testing.T) {
	noLeaks(t)
	second := listen(t, quick)
	a := listen(t, func(p *peer) {
		if _, err := p.hello(); err == nil {
			p.goAway(codec.GoAwayMessage{Code: codec.CodeFull, Alternates: []byte(second.Addr().String())})
		}
	})
	for _, ignore := range []bool{false, true} {
		c, ran := run(t, Config{Endpoints: []string{a.Addr().String()}, IgnoreAlternates: ignore, BackoffMin: time.Millisecond})
		eventually(t, "somewhere to go", func() bool { i := c.Info(); return i.State == Ready || i.Dials >= 3 })
		if got := c.Info().State != Ready; got != ignore {
			t.Errorf("IgnoreAlternates %v: state %s", ignore, c.Info().State)
		}
		end(t, c, ran)
	}
}
