package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// loops is how many event loops each server has that has any, unless it is told another number.
const loops = 2

// terms are what a server is told: where to listen, what its clients are told, and when it
// evicts. Tick and admission are Stormwheel's alone.
type terms struct {
	kind      string
	listen    string
	loops     int
	heartbeat time.Duration
	timeout   time.Duration
	tick      time.Duration
	admit     float64
	node      string
}

// wire is the part that clients are told. The peers tell no reconnect window: they know none.
func (t terms) wire() codec.Terms {
	return codec.Terms{Interval: t.heartbeat, Timeout: t.timeout}
}

// serve runs one server until it is killed. The flags are those that package bench gives
// the nodes that it spawns, and the ready line is the one that it waits for.
//
// With --commands it reads its standard input: at each line it collects garbage, gives free
// memory back, and prints "ok". The end of the input is its own.
func serve(args []string) error {
	fs := flag.NewFlagSet("serve KIND", flag.ContinueOnError)
	var t terms
	fs.StringVar(&t.listen, "listen", "127.0.0.1:0", "address")
	fs.IntVar(&t.loops, "loops", loops, "event loops, of servers that have any")
	fs.DurationVar(&t.heartbeat, "heartbeat", time.Second, "what clients are told")
	fs.DurationVar(&t.timeout, "timeout", 20*time.Second, "silence after which a client is evicted")
	fs.DurationVar(&t.tick, "tick", 250*time.Millisecond, "of Stormwheel's deadlines")
	fs.Float64Var(&t.admit, "admit-rate", 2000, "clients a second that Stormwheel lets in")
	fs.StringVar(&t.node, "node", "", "name")
	pinned := fs.Bool("pin", false, "stay on as many processors as there are loops, the first ones")
	commands := fs.Bool("commands", false, "obey standard input, and end with it")
	for _, name := range []string{"admin", "alternates", "failover-rate"} {
		fs.String(name, "", "ignored; a Stormwheel node has it")
	}
	if len(args) == 0 {
		return fmt.Errorf("serve what? There are %s", kindNames())
	}
	k, ok := kindOf(args[0])
	if !ok {
		return fmt.Errorf("no server of kind %q; there are %s", args[0], kindNames())
	}
	if err := fs.Parse(args[1:]); err != nil {
		return err
	}
	t.kind = k.name
	if why := k.absent(); why != "" {
		return fmt.Errorf("%s: %s", k.name, why)
	}
	if *pinned {
		if err := pin(0, t.loops); err != nil {
			return err
		}
	}
	addr, err := k.start(t)
	if err != nil {
		return err
	}
	fmt.Printf("stormwheel ready node=%s listen=%s pid=%d\n", k.name, addr, os.Getpid())
	if !*commands {
		select {}
	}
	return obey(os.Stdin)
}

func obey(in io.Reader) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		debug.FreeOSMemory()
		fmt.Println("ok")
	}
	return lines.Err()
}

func kindNames() string {
	var all string
	for i, k := range kinds {
		if i > 0 {
			all += ", "
		}
		all += k.name
	}
	return all
}

// concrete replaces port 0 by a free one, for servers that can't tell what they got.
func concrete(addr string) (string, error) {
	probe, err := net.Listen("tcp4", addr)
	if err != nil {
		return "", err
	}
	defer probe.Close()
	return probe.Addr().String(), nil
}
