package fanout

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/internal/child"
)

// crew is the process of the clients. It is told by a connection for how many marks more to wait,
// and answers when they have been read; for none it counts from now on.
type crew struct {
	process *child.Child
	conn    net.Conn
}

// waitTime is the longest that a batch may take.
const waitTime = time.Minute

func startCrew(t kit.Task, addr string, members int) (*crew, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	t.Size, t.Target = members, addr+" "+l.Addr().String()
	c := new(crew)
	if c.process, err = part(t); err != nil {
		return nil, err
	}
	go func() { _, _ = c.process.Start(context.Background(), 10*time.Minute) }()
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(joinTime))
	if c.conn, err = l.Accept(); err != nil {
		c.process.Close()
		return nil, fmt.Errorf("the clients: %w", err)
	}
	return c, nil
}

func part(t kit.Task) (*child.Child, error) {
	task, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	c, _, err := kit.Command("part", name, string(task))
	return c, err
}

func (c *crew) close() {
	_ = c.conn.Close()
	c.process.Close()
}

func (c *crew) begin() error { return c.wait(0) }

// wait waits until all have read so many marks more.
func (c *crew) wait(marks int) error {
	_ = c.conn.SetDeadline(time.Now().Add(waitTime))
	_, err := c.conn.Write(binary.BigEndian.AppendUint64(nil, uint64(marks)))
	if err == nil {
		_, err = io.ReadFull(c.conn, make([]byte, 1))
	}
	if err != nil {
		return fmt.Errorf("the clients: %w", err)
	}
	return nil
}

// clients is the process of the clients, until the server's ends.
func clients(t kit.Task) error {
	addr, control, _ := strings.Cut(t.Target, " ")
	conn, err := net.Dial("tcp", control)
	if err != nil {
		return err
	}
	c, err := flood.Join(addr, t.Size, greeting(t.Subject))
	if err != nil {
		return err
	}
	defer c.Close()
	c.Mark = mark
	asked := make(chan int)
	go func() {
		defer close(asked)
		var b [8]byte
		for {
			if _, err := io.ReadFull(conn, b[:]); err != nil {
				return
			}
			asked <- int(binary.BigEndian.Uint64(b[:]))
		}
	}()
	goal, owed := 0, false
	for ; ; time.Sleep(flood.ReadEvery) {
		if err := c.Read(); err != nil {
			return err
		}
		select {
		case more, ok := <-asked:
			if !ok {
				return nil
			}
			if goal += more; more == 0 {
				goal = c.Marks()
			}
			owed = true
		default:
		}
		if owed && c.Marks() >= goal {
			if _, err := conn.Write([]byte{1}); err != nil {
				return nil
			}
			owed = false
		}
	}
}

// told is what a process says at its end.
type told struct {
	figures map[string]float64
	err     error
}

// startProbes has a process of probes ask a server for a while.
func startProbes(t kit.Task, addr string, d time.Duration) <-chan told {
	t.Subject, t.Target, t.Rate = probesOf, addr, d.Seconds()
	ended := make(chan told, 1)
	go func() {
		c, err := part(t)
		if err != nil {
			ended <- told{err: err}
			return
		}
		defer c.Close()
		var r told
		var line string
		if line, r.err = c.Start(context.Background(), d+time.Minute); r.err == nil {
			r.err = json.Unmarshal([]byte(line), &r.figures)
		}
		ended <- r
	}()
	return ended
}

// probes is that process; the step's rate is for how many seconds.
func probes(t kit.Task) (map[string]float64, error) {
	always := func() bool { return true }
	rtts, err := flood.Probe(t.Target, forTime(time.Duration(t.Rate*float64(time.Second))), always)
	return rtts.Figures(), err
}
