package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
)

type connectCmd struct {
	Server      []string      `default:"127.0.0.1:7000" placeholder:"HOST:PORT" help:"Nodes to choose from, HOST:PORT, tls://HOST:PORT, or ws:// or wss://HOST:PORT/PATH. Default ${default}."`
	ID          string        `name:"id" placeholder:"NAME" help:"Who you are. Default: terminal- and the process id."`
	TokenFile   string        `type:"path" placeholder:"FILE" help:"File with the token to present, read anew for every attempt."`
	PongTimeout time.Duration `default:"10s" help:"Silence after a heartbeat that means the node is dead."`

	Insecure bool   `help:"tls, wss: take any certificate of the nodes."`
	TLSCA    string `name:"tls-ca" type:"path" placeholder:"FILE" help:"tls, wss: authorities of the nodes' certificates, PEM. Default: the system's."`
	TLSCert  string `name:"tls-cert" type:"path" placeholder:"FILE" help:"tls, wss: your certificate, PEM. Default: none."`
	TLSKey   string `name:"tls-key" type:"path" placeholder:"FILE" help:"tls, wss: its key, PEM."`

	backstopFlags
	IgnoreAlternates bool `help:"Keep to --server, whatever nodes name: behind a NAT that leads nowhere."`

	Chat    bool    `help:"Be a messenger, at a node that runs messages; a node does not tell whether it does."`
	To      *string `placeholder:"USER" help:"chat: what is typed goes to this user. Implies --chat."`
	Room    *string `placeholder:"ROOM" help:"chat: join this room; what is typed goes there. Implies --chat."`
	JSON    bool    `name:"json" help:"chat: print events as JSON, one a line. Implies --chat."`
	History bool    `default:"true" negatable:"" help:"chat: keep what is said, up to 2 MiB, in a file of yours for :q WORD: stormwheel/chat-ID under $$XDG_STATE_HOME or ~/.local/state; --no-history: in memory only, as without --id, and where the input is no terminal."`
}

// chats tells whether the messenger is wanted.
func (c *connectCmd) chats() bool { return c.Chat || c.To != nil || c.Room != nil || c.JSON }

func (connectCmd) Help() string {
	return "What is typed is sent, what arrives is shown. \":info\" shows the state, \":q\" leaves; the end of " +
		"the input leaves when all was acknowledged, so that input may be piped; " +
		"a client that every node refuses before its first session leaves, too; " +
		fmt.Sprintf("%d messages a second are sent at most. A pipe that has no session or no acknowledgement %v after its end gives up. "+
			"Exit codes: 0 all was acknowledged, %d it was not, was refused, or there was no session, %d a wrong flag.\n\n", sendRate, drainTime, exitError, exitUsage) +
		"With --chat it is a messenger. Two ticks: the message reached a device; one: it is on the node's disk; " +
		"a dot: it is in the node's memory, or the room has it. " +
		fmt.Sprintf("%d messages a second are sent at most, after a burst of %d: less than a node takes of a user unless told otherwise. Its commands:\n\n", chatRate, chatBurst) + strings.Join(chatHelp(), "\n\n") + "\n\n" +
		fmt.Sprintf("Input that is piped is sent, and connect leaves when all of it is acknowledged, or gives up after %v. ", drainTime) +
		"To listen only, keep the input open: sleep inf | stormwheel connect --json --id ci. Events are listed in docs/MESSAGING.md. Exit codes of --chat: " +
		fmt.Sprintf("0 every message was acknowledged, 1 the input or output broke, 2 a wrong flag, %d no node gave a session, or one ended the client for good, "+
			"%d a message was refused or a line could not be done, %d nobody knows what became of a message.\n\n", exitNoSession, exitRefused, exitUnsettled) +
		"Example: stormwheel connect --server 127.0.0.1:7000,127.0.0.1:7100 --id alice\n\n" +
		"Example: echo hi | stormwheel connect --id ci --to bob"
}

func (c *connectCmd) Validate() error {
	if c.PongTimeout <= 0 {
		return errors.New("--pong-timeout must be positive")
	}
	if len(c.Server) == 0 {
		return errors.New("--server names no node")
	}
	if c.ID != "" {
		if err := checkID(c.ID); err != nil {
			return err
		}
	}
	if err := c.checkPlace(); err != nil {
		return err
	}
	addrs, way, err := transport.ParseWays(c.Server)
	if err != nil {
		return fmt.Errorf("--server: %w", err)
	}
	if !way.TLS && (c.Insecure || c.TLSCA != "" || c.TLSCert != "" || c.TLSKey != "") {
		return errors.New("--insecure and --tls-... are for a --server of tls:// or wss://")
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key go together")
	}
	return reachable("--server", addrs)
}

// checkPlace checks --to and --room.
func (c *connectCmd) checkPlace() error {
	if c.To != nil && c.Room != nil {
		return errors.New("--to and --room exclude each other")
	}
	if c.To != nil {
		if err := checkName("user", *c.To); err != nil {
			return fmt.Errorf("--to: %w", err)
		}
	}
	if c.Room != nil {
		if err := checkName("room", *c.Room); err != nil {
			return fmt.Errorf("--room: %w", err)
		}
	}
	return nil
}

// secure is what the flags say about TLS; nil: nothing.
func (c *connectCmd) secure() (*tls.Config, error) {
	if !c.Insecure && c.TLSCA == "" && c.TLSCert == "" {
		return nil, nil
	}
	cfg := &tls.Config{InsecureSkipVerify: c.Insecure}
	if c.TLSCA != "" {
		pool, err := authorities("--tls-ca", c.TLSCA)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = pool
	}
	if c.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("--tls-cert: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

func (c *connectCmd) Run() error {
	named := c.ID != ""
	if !named {
		c.ID = fmt.Sprintf("terminal-%d", os.Getpid())
	}
	token := tokenFrom(c.TokenFile)
	if token != nil { // later, a file that cannot be read costs an attempt
		if _, err := token(context.Background()); err != nil {
			return fmt.Errorf("connect: --token-file: %w", err)
		}
	}
	secure, err := c.secure()
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	cfg := client.Config{
		TLS:       secure,
		Endpoints: c.Server, ID: c.ID, PongTimeout: c.PongTimeout,
		IgnoreAlternates: c.IgnoreAlternates, TokenSource: token,
		KeepAlive: c.TCPKeepalive, UserTimeout: c.TCPUserTimeout,
	}
	if c.chats() {
		return c.runChat(cfg, named)
	}
	return c.runEcho(cfg)
}

// asUsage words what the client does not take.
func asUsage(err error) error {
	return usageError{errors.New(strings.NewReplacer("PongTimeout", "--pong-timeout", "KeepAlive", "--tcp-keepalive", "UserTimeout", "--tcp-user-timeout").Replace(strings.TrimPrefix(err.Error(), "client: ")))}
}

// runEcho is connect without --chat.
func (c *connectCmd) runEcho(cfg client.Config) error {
	t := newTerminal(os.Stdout, time.Now)
	var cl *client.Client
	var refused error // why every node refuses; owned by the callbacks until Run has returned
	cfg.Deliver, cfg.Settled = t.arrived, t.settled
	cfg.StateChange = func(i client.Info) {
		t.changed(i)
		if refusedForGood(i) {
			refused = i.LastError
			_ = cl.Close() // always nil
		}
	}
	cl, err := client.New(cfg)
	if err != nil {
		return asUsage(err)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), leaving()...)
	defer cancel()

	// Sends wait for a session; the reader does not, so that :info works without one.
	lines := make(chan []byte, 64)
	go t.send(ctx, cl, lines)
	read := make(chan error, 1)
	go func() {
		read <- t.read(ctx, os.Stdin, lines, cl.Info)
		_ = cl.Close() // always nil
	}()
	go func() {
		select {
		case <-t.gone:
			_ = cl.Close() // always nil
		case <-ctx.Done():
		}
	}()
	err = cl.Run(ctx)
	if ctx.Err() != nil {
		return nil // Ctrl-C is a way to leave
	}
	if err := t.unseen(); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if err = cmp.Or(err, refused); err != nil {
		return fmt.Errorf("connect: %w%s", err, c.hint(err))
	}
	return <-read // Close came from there
}

// leaving are the signals that end connect with a BYE: a terminal that is closed, too, unless
// the user has said nohup.
func leaving() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// hint says what to do about an error, if that is known.
func (c *connectCmd) hint(err error) string {
	var refused *client.CodeError
	switch {
	case !errors.As(err, &refused) || refused.Code != codec.CodeUnauthorized:
		return meaning(err)
	case c.TokenFile == "":
		return "; --token-file names the file with a token for this --id"
	default:
		return fmt.Sprintf("; the token of --token-file must be one that the node, or the back end that it asks, takes for --id %q", c.ID)
	}
}

const (
	// drainTime bounds the wait for acknowledgements after the end of the input, and that
	// of more input for a first session.
	drainTime = 10 * time.Second

	// sendRate is messages per second, after a burst: each may cost two frames, its own and the
	// acknowledgement of an echo, of the 2000 that a server takes unless told otherwise.
	sendRate  = 800
	sendBurst = 256
)

// read handles the input until :q or its end.
func (t *terminal) read(ctx context.Context, in io.Reader, lines chan<- []byte, info func() client.Info) error {
	s := bufio.NewScanner(in)
	s.Buffer(nil, codec.MaxBody+1) // and a line's end
	for s.Scan() {
		switch line := s.Text(); line {
		case "":
		case ":q":
			return nil
		case ":info":
			t.showInfo(info())
		default:
			if strings.HasPrefix(line, ":") {
				t.say("there is :info and :q")
				continue
			}
			t.typed.Add(1)
			if err := t.hand(ctx, []byte(line), lines, info); err != nil || ctx.Err() != nil {
				return err
			}
		}
	}
	switch err := s.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		// What came before it is sent; what comes after it can't be told from it.
		return errors.Join(t.drain(ctx, info), fmt.Errorf("connect: standard input: a line is longer than %d bytes; it and what follows is not sent", codec.MaxBody))
	case err != nil:
		return fmt.Errorf("connect: standard input: %w", err)
	}
	return t.drain(ctx, info)
}

// hand gives a line to the sender. One that finds no room before there ever was a session
// does not wait for ever: the end of a pipe would not be seen.
func (t *terminal) hand(ctx context.Context, line []byte, lines chan<- []byte, info func() client.Info) error {
	select {
	case lines <- line:
		return nil
	default:
	}
	giveUp := time.NewTimer(drainTime)
	defer giveUp.Stop()
	for {
		select {
		case lines <- line:
			return nil
		case <-ctx.Done():
			return nil
		case <-giveUp.C:
			if i := info(); i.Sessions == 0 {
				return neverConnected(i)
			}
		}
	}
}

func neverConnected(i client.Info) error {
	if i.LastError == nil {
		return fmt.Errorf("connect: never connected: no answer from %s", i.Endpoint)
	}
	return fmt.Errorf("connect: never connected: %s", reason(i.LastError))
}

// send sends the lines in order, each as soon as there is a session that takes it.
func (t *terminal) send(ctx context.Context, cl *client.Client, lines <-chan []byte) {
	pace := pacer{every: time.Second / sendRate, burst: sendBurst}
	for {
		select {
		case line := <-lines:
			select {
			case <-time.After(pace.wait(time.Now())):
			case <-ctx.Done():
				return
			}
			if _, err := cl.Send(ctx, line); err != nil {
				return // the client has ended
			}
			t.sent.Add(1)
		case <-ctx.Done():
			return
		}
	}
}

// pacer spaces messages evenly, but for a burst after a pause.
type pacer struct {
	every time.Duration
	burst int
	next  time.Time // when the next message is due
}

// wait counts one message and returns how long it has to wait.
func (p *pacer) wait(now time.Time) time.Duration {
	if earliest := now.Add(-time.Duration(p.burst) * p.every); p.next.Before(earliest) {
		p.next = earliest
	}
	d := max(p.next.Sub(now), 0)
	p.next = p.next.Add(p.every)
	return d
}

// drain waits until all that was typed is settled. Without input it waits for a first
// session, or what keeps it from coming.
func (t *terminal) drain(ctx context.Context, info func() client.Info) error {
	deadline := time.NewTimer(drainTime)
	defer deadline.Stop()
	for {
		i := info()
		if i.Sessions == 0 && t.typed.Load() == 0 && i.LastError != nil {
			return neverConnected(i)
		}
		if refused := t.refused.Load(); i.Sessions > 0 && t.acked.Load()+refused >= t.typed.Load() {
			if refused > 0 {
				return fmt.Errorf("connect: %d of %d messages were refused", refused, t.typed.Load())
			}
			return nil
		}
		select {
		case <-t.news:
		case <-deadline.C:
			if i := info(); i.Sessions == 0 {
				return fmt.Errorf("%w; %d messages were not sent", neverConnected(i), t.typed.Load())
			}
			return fmt.Errorf("connect: %d of %d messages were not acknowledged within %v",
				t.typed.Load()-t.acked.Load()-t.refused.Load(), t.typed.Load(), drainTime)
		case <-ctx.Done():
			return nil
		}
	}
}
