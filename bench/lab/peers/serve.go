package peers

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/stormwheel/stormwheel/internal/machine"
)

// Serve runs one server until it is killed, on these terms. The flags are those that package
// bench gives the nodes that it spawns, and the ready line is the one that it waits for.
type Serve struct {
	Kind      string        `arg:"" help:"Which server."`
	Listen    string        `default:"127.0.0.1:0" help:"Address."`
	Loops     int           `default:"2" help:"Event loops, of servers that have any."`
	Heartbeat time.Duration `default:"1s" help:"What clients are told."`
	Timeout   time.Duration `default:"20s" help:"Silence after which a client is evicted."`
	Tick      time.Duration `default:"250ms" help:"Of Stormwheel's deadlines."`
	AdmitRate float64       `default:"2000" help:"Clients a second that Stormwheel lets in."`
	Node      string        `help:"Name."`
	Pin       bool          `negatable:"" help:"Stay on as many processors as there are loops, the first ones."`
	Commands  bool          `help:"At each line of standard input collect garbage and say so; end with it."`

	// A Stormwheel node has these; here they mean nothing.
	Admin        string  `hidden:""`
	Alternates   string  `hidden:""`
	FailoverRate float64 `hidden:""`

	desk *desk // of all but Stormwheel
}

// Run serves.
func (s *Serve) Run() error {
	k, ok := Of(s.Kind)
	if !ok {
		return fmt.Errorf("no server of kind %q; there are %s", s.Kind, names())
	}
	if why := k.absent(); why != "" {
		return fmt.Errorf("%s: %s", k.Name, why)
	}
	if s.Pin {
		if err := machine.Pin(0, s.Loops); err != nil {
			return err
		}
	}
	var err error
	if s.desk, err = newDesk(s); err != nil {
		return err
	}
	addr, err := k.start(s)
	if err != nil {
		return err
	}
	s.ready(k.Name, addr, os.Getpid())
	if !s.Commands {
		select {}
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		debug.FreeOSMemory()
		fmt.Println("ok")
	}
	return lines.Err()
}

// ready says the line that whoever has started it waits for, with the server's process.
func (s *Serve) ready(name, addr string, pid int) {
	fmt.Printf("stormwheel ready node=%s listen=%s pid=%d\n", name, addr, pid)
}
