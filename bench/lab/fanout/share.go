package fanout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/messaging"
)

// wire is a connection between two processes of this section, of which one asks and the other answers, in JSON.
type wire struct {
	conn net.Conn
	in   *json.Decoder
	out  *json.Encoder
}

func wireOn(conn net.Conn) wire { return wire{conn, json.NewDecoder(conn), json.NewEncoder(conn)} }

func (w wire) close() { _ = w.conn.Close() }

func (w wire) say(v any) error { return w.out.Encode(v) }

func (w wire) take(v any) error { return w.in.Decode(v) }

// call asks, and waits for the answer.
func (w wire) call(question, answer any) error {
	_ = w.conn.SetDeadline(time.Now().Add(waitTime))
	if err := w.say(question); err != nil {
		return err
	}
	return w.take(answer)
}

// beside starts a process of this section in a role. It ends with this one.
func beside(t kit.Task, role, about string) (p *child.Child, conn net.Conn, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	t.Target = role + " " + l.Addr().String() + " " + about
	task, err := json.Marshal(t)
	if err != nil {
		return nil, nil, err
	}
	if p, _, err = kit.Command("part", name, string(task)); err != nil {
		return nil, nil, err
	}
	said := make(chan error, 1)
	go func() {
		_, err := p.Start(context.Background(), 10*time.Minute)
		said <- err
		_ = l.Close()
	}()
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(joinTime))
	if conn, err = l.Accept(); err != nil {
		p.Close()
		return nil, nil, fmt.Errorf("the %s: %w", role, errors.Join(err, <-said))
	}
	return p, conn, nil
}

// share is a node in a process of its own.
type share struct {
	process *child.Child
	wire
	addr string
}

// asked is what such a process is asked, and told its answer.
type asked struct {
	Do    string
	Body  []byte
	Times int
}

type told struct {
	Addr    string
	Count   int
	Figures map[string]float64
	Problem string
}

// startShare starts one, and returns when it is there. about is what it is to know of others.
func startShare(t kit.Task, about string) (s *share, err error) {
	s = new(share)
	var conn net.Conn
	if s.process, conn, err = beside(t, nodeOf, about); err != nil {
		return nil, err
	}
	s.wire = wireOn(conn)
	var first told
	if err := s.take(&first); err != nil {
		s.close()
		return nil, err
	}
	s.addr = first.Addr
	return s, nil
}

func (s *share) close() {
	s.wire.close()
	s.process.Close()
}

func (s *share) ask(a asked) (t told, err error) {
	if err = s.call(a, &t); err == nil && t.Problem != "" {
		err = errors.New(t.Problem)
	}
	if err != nil {
		err = fmt.Errorf("the node: %w", err)
	}
	return t, err
}

// inRoom is how many members the room has, on all nodes.
func (s *share) inRoom() (int, error) {
	t, err := s.ask(asked{Do: "members"})
	return t.Count, err
}

func (s *share) joined() int {
	t, _ := s.ask(asked{Do: "joined"}) // without an answer nobody has
	return t.Count
}

func (s *share) gather(figures map[string]float64) error {
	t, err := s.ask(asked{Do: "gather"})
	for name, v := range t.Figures {
		figures[name] = v
	}
	return err
}

func (s *share) publish(body []byte, times int) error {
	_, err := s.ask(asked{Do: "publish", Body: body, Times: times})
	return err
}

func (s *share) marks(body []byte) int {
	t, _ := s.ask(asked{Do: "marks", Body: body}) // without an answer the next question has none either
	return t.Count
}

func (s *share) end(figures map[string]float64) {
	t, _ := s.ask(asked{Do: "end"}) // without an answer there are no figures
	for name, v := range t.Figures {
		figures[name] = v
	}
}

// serveShare is that process, until who asks has gone.
func serveShare(t kit.Task, conn net.Conn, about string) error {
	h, addr, err := start(t.Subject, about)
	if err != nil {
		return err
	}
	w := wireOn(conn)
	for next := (told{Addr: addr}); ; {
		if err := w.say(next); err != nil {
			return nil
		}
		var a asked
		if err := w.take(&a); err != nil {
			return nil
		}
		next = told{Figures: map[string]float64{}}
		var err error
		switch a.Do {
		case "joined":
			next.Count = h.joined()
		case "gather":
			err = h.gather(next.Figures)
		case "publish":
			err = h.publish(a.Body, a.Times)
		case "marks":
			next.Count = h.marks(a.Body)
		case "members":
			var room messaging.RoomState
			room, _, err = h.(*roomNode).hub.Room(context.Background(), everybody)
			next.Count = room.Members
		case "end":
			h.end(next.Figures)
		}
		if err != nil {
			next.Problem = err.Error()
		}
	}
}
