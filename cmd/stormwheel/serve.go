package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/bench/payload"
	"github.com/stormwheel/stormwheel/server"
)

type serveCmd struct {
	transportFlags
	tlsFlags
	backstopFlags

	Admin             string         `placeholder:"HOST:PORT" help:"Address for /livez, /readyz, /stats, /metrics, /settings and, with --messages, the calls of back ends below /v1/, which --admin-token-file guards; the rest has no authentication, so keep it on loopback. Default: none."`
	AdminTokenFile    string         `type:"path" placeholder:"FILE" help:"With --messages: back ends show one of the tokens in this file, one a line, and their calls are there on any address. Default: no token, and on loopback only."`
	Node              string         `placeholder:"NAME" help:"Name that clients and logs see. Default: the address."`
	Loops             int            `placeholder:"N" help:"Event loops. Default: one per CPU."`
	Heartbeat         time.Duration  `default:"30s" help:"How often clients are told to speak, 100ms at least."`
	Timeout           *time.Duration `placeholder:"DURATION" help:"Silence after which a client is evicted; longer than --heartbeat. Default: 2.5 times that."`
	Tick              time.Duration  `default:"250ms" help:"Resolution of every deadline."`
	MaxConns          int            `placeholder:"N" help:"Most connections. Default: what the descriptor limit allows."`
	AdmitRate         float64        `default:"2000" help:"Most clients per second that may come in, half a second's worth at once; under overload the node takes what it can."`
	FailoverRate      float64        `placeholder:"R" help:"Clients per second that the nodes which take over can take; the reconnect window follows from it. Default: --admit-rate."`
	MaxWindow         time.Duration  `default:"60s" help:"Longest reconnect window."`
	Alternates        []string       `placeholder:"HOST:PORT" help:"Other nodes, told to clients."`
	DrainGrace        time.Duration  `default:"10s" help:"On the first signal, time until the present clients are told to go elsewhere; 0: none."`
	DrainWindow       time.Duration  `default:"60s" help:"Longest time over which they are told, at --failover-rate if that is enough."`
	AuthSecretFile    string         `type:"path" placeholder:"FILE" help:"Let in only clients with a token made from a secret in this file, one a line (see: stormwheel token). Default: everybody."`
	ClusterSecretFile string         `type:"path" placeholder:"FILE" help:"Secrets, one a line, by which the nodes of a cluster know each other's returning clients, and with --cluster nats://embedded each other; the first signs. Default: none."`
	AddrConns         int            `placeholder:"N" help:"Most sessions of one address. Default: no limit; behind a NAT many clients share one."`
	AddrRate          float64        `placeholder:"R" help:"Most handshakes per second of one address. Default: no limit."`
	MaxFrameRate      int            `default:"2000" placeholder:"N" help:"Most frames per second of one client, four seconds' worth at once; negative: no limit. Default: ${default}."`
	MaxByteRate       int            `default:"4194304" placeholder:"BYTES" help:"Most bytes per second of one client, likewise. Default: ${default}."`
	MaxQueued         int            `default:"262144" placeholder:"BYTES" help:"Most bytes that wait in the node for one client. Default: ${default}."`
	MaxQueuedTotal    int64          `placeholder:"BYTES" help:"Most bytes that wait for all clients together; negative: no limit. Default: a quarter of the memory."`
	MemoryLimit       int64          `placeholder:"BYTES" help:"Memory of the process; near it clients are refused, then shed. Negative: no limit. Default: that of the control group."`
	clusterFlags
	messageFlags
	hookFlags
	Echo      *bool         `negatable:"" help:"Send messages of clients back before they are acknowledged, as a node without --messages does; --no-echo: only acknowledge them."`
	Publish   payload.Size  `placeholder:"SIZE" help:"Publish a message of that size, as in 100B or 4KiB, to all clients every --every, for the load test (bench --deliver). Default: none."`
	Every     time.Duration `default:"10s" help:"Between two publications, which are due at multiples of it on CLOCK_MONOTONIC."`
	LogLevel  slog.Level    `default:"info" help:"debug, info, warn or error."`
	LogFormat string        `default:"text" enum:"text,json" help:"text or json, on standard error."`
}

func (serveCmd) Help() string {
	return "SIGTERM or SIGINT hands the clients over, a second one stops at once; SIGHUP reads certificates and secret files again. " +
		"Log lines that nobody reads are lost.\n\n" +
		"Example: stormwheel serve --listen 127.0.0.1:7000 --admin 127.0.0.1:7001 --node a"
}

func (c *serveCmd) Run() (err error) {
	lines := newLogWriter(os.Stderr)
	level := new(slog.LevelVar)
	level.Set(c.LogLevel)
	log := c.logger(lines, level)
	lines.tell = func(lost uint64) { log.Warn("log lines were dropped: standard error was not read", "lines", lost) }
	go lines.run()
	defer lines.close()
	secrets, err := c.readSecrets()
	if err != nil {
		return err
	}
	warnOfOpenFiles(log, append([]string{c.AuthSecretFile, c.ClusterSecretFile, c.HookSecretFile, c.AdminTokenFile, c.ClusterTLSKey}, c.TLSKey...)...)
	signals := make(chan os.Signal, 2)
	app := application{echo: c.Echo == nil || *c.Echo}
	if c.Publish > 0 {
		app.publisher = newPublisher(int(c.Publish), c.Every)
	}
	hooks, err := c.hookFlags.open(c.Node, secrets, log)
	if err != nil {
		return err
	}
	defer hooks.close(log, signals)
	certs := new(certificates)
	peers, err := c.clusterFlags.open(c, secrets, certs, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, peers.close()) }()
	if app.messages, err = c.messageFlags.open(c, hooks, peers, log); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, app.messages.close(log, signals)) }()
	srv, err := c.node(log, level, peers.wrap(&app), secrets, certs, hooks)
	if err != nil {
		return err
	}
	percent, soft := setCollector(srv.Stats().MemoryLimit)

	// The signals are ours before the first client is: one that comes early is not lost.
	defer secrets.follow(srv, log)()
	defer certs.follow(log)()
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)

	adm, err := newAdminListener(c.Admin, srv, app.messages, hooks, peers)
	if err != nil {
		return err
	}
	defer adm.close()
	if err := app.messages.start(srv); err != nil {
		return err
	}
	if err := peers.start(srv, &app); err != nil {
		return err
	}
	if err := srv.Start(); err != nil {
		return err
	}
	log.Info("collector", "gogc", percent, "gomemlimit", soft)
	hooks.start(srv.Node())
	adm.serve()
	if err := peers.meet(srv, signals); err != nil {
		return errors.Join(err, end(srv.Stop, stopTime, log, signals))
	}
	adm.takesClients()
	stop := app.start(srv)
	defer stop()
	if _, err := fmt.Printf("stormwheel ready node=%s listen=%s admin=%s pid=%d\n", srv.Node(), strings.Join(srv.Addrs(), ","), adm.addr, os.Getpid()); err != nil {
		log.Warn("nobody reads the ready line", "err", err)
	}
	return await(srv, adm, peers, app.messages, log, signals)
}

// node is the server that the flags ask for.
func (c *serveCmd) node(log *slog.Logger, level *slog.LevelVar, handler server.Handler, secrets *secrets, certs *certificates, hooks *hooks) (*server.Server, error) {
	secure, err := c.tlsFlags.config(c.Listen, certs)
	if err != nil {
		return nil, err
	}
	cfg := server.Config{
		Node: c.Node, Loops: c.Loops,
		Heartbeat: c.Heartbeat, Timeout: c.timeout(), Tick: c.Tick,
		MaxConns: c.MaxConns, AdmitRate: c.AdmitRate, FailoverRate: c.FailoverRate,
		MaxWindow: c.MaxWindow, Alternates: c.Alternates,
		DrainGrace: graceOf(c.DrainGrace), DrainWindow: c.DrainWindow,
		Auth: secrets.authenticator(), ClusterSecrets: secrets.cluster, AddrConns: c.AddrConns, AddrRate: c.AddrRate,
		MaxFrameRate: c.MaxFrameRate, MaxByteRate: c.MaxByteRate, MaxQueued: c.MaxQueued,
		MaxQueuedTotal: c.MaxQueuedTotal, MemoryLimit: c.MemoryLimit,
		KeepAlive: c.TCPKeepalive, UserTimeout: c.TCPUserTimeout,
		TLS: secure, Duplicates: c.duplicates(), Handler: handler, Logger: log, LogLevel: level,
	}
	c.tlsFlags.fill(&cfg)
	hooks.admit(&cfg)
	if err := c.transportFlags.fill(&cfg, certs); err != nil {
		return nil, usageError{err}
	}
	srv, err := server.New(cfg)
	if err != nil {
		return nil, usageError{asFlags(err)}
	}
	return srv, nil
}

// timeout is 0, which follows --heartbeat, unless the flag is given.
func (c *serveCmd) timeout() time.Duration {
	if c.Timeout == nil {
		return 0
	}
	return *c.Timeout
}

// await ends with the node. It ends the node itself when a signal asks for that, or when the
// admin listener breaks; during a drain operators are still answered.
func await(srv *server.Server, adm *adminListener, peers *clustered, m *messages, log *slog.Logger, signals <-chan os.Signal) error {
	ended := make(chan error, 1)
	go func() { ended <- srv.Wait() }()
	select {
	case err := <-ended:
		return engineError(err)
	case err := <-adm.failed:
		return errors.Join(err, end(srv.Stop, stopTime, log, signals))
	case err := <-peers.failed():
		return errors.Join(err, end(srv.Stop, stopTime, log, signals))
	case most := <-peers.leaveAsked():
		adm.notReady()
		return peers.leaveForGood(srv, m, most, log, signals)
	case sig := <-signals:
		log.Info("handing the clients over; a second signal stops at once", "signal", sig.String())
		adm.notReady()
		if peers.drain(signals) {
			log.Warn("stopping at once: another signal came")
			return end(srv.Stop, stopTime, log, signals)
		}
		return end(srv.Drain, 0, log, signals)
	}
}

// stopTime bounds the farewell to clients that were not handed over.
const stopTime = 5 * time.Second

// end ends the node the way how does, until it is done, limit is over (0: how has its own)
// or another signal comes.
func end(how func(context.Context) error, limit time.Duration, log *slog.Logger, signals <-chan os.Signal) error {
	ctx, cancel := context.WithCancel(context.Background())
	if limit > 0 {
		ctx, cancel = context.WithTimeout(ctx, limit)
	}
	defer cancel()
	go func() {
		select {
		case sig := <-signals:
			log.Warn("stopping at once", "signal", sig.String())
			cancel()
		case <-ctx.Done():
		}
	}()
	return how(ctx)
}

// engineError words an end that nobody asked for; it is never a success.
func engineError(err error) error {
	if err == nil {
		return server.ErrEngine
	}
	return err
}

func (c *serveCmd) logger(out io.Writer, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}
