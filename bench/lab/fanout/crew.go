package fanout

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/internal/child"
)

// crew is the process of the clients. It is told by a connection for how many marks more to wait,
// and answers when they have been read, with how many that are by then; for none it counts from now on.
type crew struct {
	process *child.Child
	conn    net.Conn
}

// waitTime is the longest that a batch may take.
const waitTime = time.Minute

func startCrew(t kit.Task, addr string, members int) (c *crew, err error) {
	t.Size = members
	c = new(crew)
	c.process, c.conn, err = beside(t, crowdOf, addr)
	return c, err
}

func (c *crew) close() {
	_ = c.conn.Close()
	c.process.Close()
}

func (c *crew) begin() (marks int, err error) { return c.ask(0) }

// wait waits until all have read so many marks more.
func (c *crew) wait(marks int) error {
	_, err := c.ask(marks)
	return err
}

func (c *crew) ask(more int) (marks int, err error) {
	_ = c.conn.SetDeadline(time.Now().Add(waitTime))
	_, err = c.conn.Write(binary.BigEndian.AppendUint64(nil, uint64(more)))
	var b [8]byte
	if err == nil {
		_, err = io.ReadFull(c.conn, b[:])
	}
	if err != nil {
		return 0, fmt.Errorf("the clients: %w", err)
	}
	return int(binary.BigEndian.Uint64(b[:])), nil
}

// clients is the process of the clients, until the server's ends.
func clients(t kit.Task, conn net.Conn, addr string) error {
	greet := greeting(t.Subject)
	if t.Workload == Wide { // the members at the other nodes are other users
		of := greet
		greet = func(id string) (first, second []byte) { return of(fmt.Sprint(id, "-", os.Getpid())) }
	}
	c, err := flood.Join(addr, t.Size, greet)
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
			if _, err := conn.Write(binary.BigEndian.AppendUint64(nil, uint64(c.Marks()))); err != nil {
				return nil
			}
			owed = false
		}
	}
}
