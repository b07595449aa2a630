package benchtest

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// AsServe, in the environment, makes the test binary a `serve` child; its value says what
// kind.
const AsServe = "BENCH_TEST_SERVE"

// Main is the main of a test binary, which also is that of its children: of workers, and of
// nodes of a kind.
func Main(m *testing.M, work func(in io.Reader, out io.Writer) error) {
	if len(os.Args) > 1 && os.Args[1] == "bench-worker" {
		if err := work(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if kind := os.Getenv(AsServe); kind != "" {
		serve(kind, os.Args[1:])
		return
	}
	os.Exit(m.Run())
}

// serve is a child with the flags and the ready line of `serve`.
func serve(kind string, args []string) {
	f := &Node{Farewell: true}
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	flags.StringVar(&f.Name, "node", "", "")
	listen := flags.String("listen", "", "")
	flags.StringVar(&f.Alternates, "alternates", "", "")
	flags.DurationVar(&f.Terms.Interval, "heartbeat", 0, "")
	flags.DurationVar(&f.Terms.Timeout, "timeout", 0, "")
	admit := flags.Float64("admit-rate", 2000, "")
	grace := flags.Duration("drain-grace", 0, "")
	rate := flags.Float64("failover-rate", 2000, "")
	for _, ignored := range []string{"admin", "tick"} {
		_ = flags.String(ignored, "", "")
	}
	_ = flags.Bool("no-echo", false, "") // it never does
	_ = flags.String("publish", "", "")
	_ = flags.String("messages", "", "") // whoever asks for a user gets the ACK of an echo
	flags.DurationVar(&f.Every, "every", 0, "")
	if err := flags.Parse(args); err != nil {
		os.Exit(2)
	}
	if v, set := os.LookupEnv("STORMWHEEL_NODE"); set {
		fmt.Fprintln(os.Stderr, "STORMWHEEL_NODE is", v)
		os.Exit(1)
	}
	if kind == "wrong-flag" {
		fmt.Fprintln(os.Stderr, "stormwheel: unknown flag --foo")
		os.Exit(2)
	}
	if kind == "second-broken" && f.Name == "n2" {
		fmt.Fprintln(os.Stderr, "first words\nlast words")
		os.Exit(1)
	}
	f.Terms.Window = time.Duration(100 / *admit * float64(time.Second))
	l, err := net.Listen("tcp4", *listen)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	admin, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		os.Exit(1)
	}
	hoarded := 0
	if kind == "hoarder" { // keeps count of all that ever came
		hoarded = 1
	}
	if kind == "full" { // takes its first fifty, and nobody after
		f.Meet = func(c *net.TCPConn, n int) bool { return n > 50 }
	}
	if kind == "shy" { // closes every third before it is welcomed
		f.Meet = func(c *net.TCPConn, n int) bool { return n%3 == 0 }
	}
	f.Serve(l)
	go http.Serve(admin, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]int{"conns": f.Conns() + hoarded*(int(f.Accepted.Load())-f.Conns())})
	}))
	fmt.Printf("stormwheel ready node=%s listen=%s admin=%s pid=%d\n", f.Name, l.Addr(), admin.Addr(), os.Getpid())
	drain := make(chan os.Signal, 1)
	signal.Notify(drain, syscall.SIGTERM)
	go func() {
		<-drain
		time.Sleep(*grace)
		f.drain(*rate, kind == "rude")
		os.Exit(0)
	}()
	if after, err := strconv.Atoi(kind); err == nil { // dies unasked when it holds that many
		for f.Conns() < after {
			time.Sleep(time.Millisecond)
		}
		fmt.Fprintln(os.Stderr, "last words")
		os.Exit(7)
	}
	select {}
}
