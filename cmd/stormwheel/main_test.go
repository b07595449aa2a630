package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tests run this binary as the command, so that what they see is what users see.
const asCommand = "RUN_TEST_BINARY_AS_STORMWHEEL"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		if listen := os.Getenv(asLedger); listen != "" {
			if err := runLedger(listen); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			return
		}
		main()
		return
	}
	os.Exit(m.Run())
}

// patience bounds every wait; nothing below takes a tenth of it on an idle machine.
const patience = time.Minute

// process is one run of the command. It is killed with the test, or by patience.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	lines  chan string // of standard output
	stderr syncBuffer
	done   chan struct{} // closed when it has ended
}

func start(t *testing.T, env []string, name string, args ...string) *process {
	t.Helper()
	return startIn(t, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, env...) }, name, args...)
}

// startIn lets change have the last word about what surrounds the process.
func startIn(t *testing.T, change func(*exec.Cmd), name string, args ...string) *process {
	t.Helper()
	p := &process{t: t, lines: make(chan string, 1024), done: make(chan struct{})}
	p.cmd = exec.CommandContext(t.Context(), name, args...)
	p.cmd.Env = append(os.Environ(), asCommand+"=1", "GORACE=atexit_sleep_ms=0")
	p.cmd.Stderr = &p.stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdin = in
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	change(p.cmd)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
		close(p.lines)
		_ = p.cmd.Wait() // ProcessState has it all
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may be gone
		for range p.lines {      // what nobody wanted would keep its reader
		}
		<-p.done
	})
	return p
}

func stormwheel(t *testing.T, args ...string) *process {
	t.Helper()
	return start(t, nil, os.Args[0], args...)
}

// line returns the next line of standard output.
func (p *process) line() string {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		if !ok {
			p.t.Fatalf("%v: output ended; it said\n%s", p.cmd.Args[1:], p.stderr.String())
		}
		return line
	case <-time.After(patience):
		p.t.Fatalf("%v: no line in %v; it said\n%s", p.cmd.Args[1:], patience, p.stderr.String())
	}
	return ""
}

// say types a line.
func (p *process) say(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

// until returns the first line that contains text.
func (p *process) until(text string) string {
	p.t.Helper()
	for began := time.Now(); time.Since(began) < patience; {
		if line := p.line(); strings.Contains(line, text) {
			return line
		}
	}
	p.t.Fatalf("%v: it never said %q in %v, and more\n%s", p.cmd.Args[1:], text, patience, p.stderr.String())
	return ""
}

// exit waits for the end and returns the code and what is left of standard output.
func (p *process) exit() (code int, rest []string) {
	p.t.Helper()
	return p.exitWithin(patience)
}

// exitWithin is exit of a run that lasts longer by itself.
func (p *process) exitWithin(most time.Duration) (code int, rest []string) {
	p.t.Helper()
	lines, ended := p.lines, (chan struct{})(nil)
	for late := time.After(most); ; {
		select {
		case line, ok := <-lines: // however many: a result has thousands
			if ok {
				rest = append(rest, line)
				continue
			}
			lines, ended = nil, p.done // its output may end before it does
		case <-ended:
			return p.cmd.ProcessState.ExitCode(), rest
		case <-late:
			p.t.Fatalf("%v: still running after %v; it said\n%s", p.cmd.Args[1:], most, p.stderr.String())
		}
	}
}

func (p *process) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

// heedsHangups skips a test where programs are started with SIGHUP ignored, as by nohup: then they ignore it, too.
func heedsHangups(t *testing.T) {
	t.Helper()
	if signal.Ignored(syscall.SIGHUP) {
		t.Skip("SIGHUP is ignored here, as nohup has it")
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestWrongFlagIsOneLineThatNamesIt(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"swerve"}, `swerve`},
		{[]string{"--verbose"}, `--verbose`},
		{[]string{"serve", "--hartbeat", "3s"}, `--hartbeat`},
		{[]string{"serve", "--heartbeat", "3"}, `--heartbeat`},
		{[]string{"serve", "--heartbeat", "0s"}, `--heartbeat`},
		{[]string{"serve", "--heartbeat", "30s", "--timeout", "30s"}, `--timeout (30s) must be longer than --heartbeat (30s)`},
		{[]string{"serve", "--heartbeat", "20ms", "--timeout", "50ms", "--tick", "5ms"}, `--heartbeat must be at least 100ms`},
		{[]string{"serve", "--heartbeat", "100ms", "--timeout", "150ms", "--tick", "5ms"}, `--timeout must be at least 200ms`},
		{[]string{"bench", "hold", "--spawn", "1", "--heartbeat", "20ms", "--timeout", "1s"}, `--heartbeat: 20ms is below 100ms`},
		{[]string{"bench", "hold", "--target", "127.0.0.1:9", "--heartbeat", "20ms"}, `--heartbeat: 20ms is below 100ms`},
		{[]string{"bench", "hold", "--spawn", "1", "--heartbeat", "100ms", "--timeout", "150ms"}, `--timeout: 150ms is below 200ms`},
		{[]string{"serve", "--tick", "1us"}, `--tick`},
		{[]string{"serve", "--publish", "19B"}, `--publish must be within 20 and 65528 bytes`},
		{[]string{"serve", "--publish", "100GB"}, `--publish: "100GB" is no size, as in 100B, 4KB or 4KiB`},
		{[]string{"serve", "--publish", "100B", "--every", "0s"}, `--every must be positive`},
		{[]string{"bench", "hold", "--spawn", "1", "--send", "0B"}, `--send: "0B" is not above 0`},
		{[]string{"bench", "hold", "--spawn", "1", "--deliver", "much"}, `--deliver: "much" is no size, as in 100B, 4KB or 4KiB`},
		{[]string{"bench", "hold", "--spawn", "1", "--every", "1s"}, `--every is for --send and --deliver`},
		{[]string{"serve", "--loops", "300"}, `--loops`},
		{[]string{"serve", "--loops", "-1"}, `--loops`},
		{[]string{"serve", "--max-conns", "-1"}, `--max-conns`},
		{[]string{"serve", "--admit-rate", "0"}, `--admit-rate must be finite and positive`},
		{[]string{"serve", "--alternates", "nowhere"}, `--alternates`},
		{[]string{"serve", "--log-level", "loud"}, `--log-level`},
		{[]string{"serve", "--log-format", "xml"}, `--log-format`},
		{[]string{"serve", "--node", strings.Repeat("x", 65)}, `--node`},
		{[]string{"serve", "--node", "a b"}, `--node: "a b" has blanks`},
		{[]string{"serve", "--node", "a\x1b"}, `--node`},
		{[]string{"serve", "--node", "a\xff"}, `--node`},
		{[]string{"serve", "--alternates", "a\n:1"}, `--alternates`},
		{[]string{"serve", "surplus"}, `surplus`},
		{[]string{"serve", "--listen", "nowhere"}, `--listen: "nowhere" is not host:port`},
		{[]string{"serve", "--listen", "127.0.0.1:65536"}, `--listen`},
		{[]string{"serve", "--admin", "127.0.0.1:-1"}, `--admin`},
		{[]string{"serve", "--alternates", "127.0.0.1:0"}, `--alternates`},
		{[]string{"serve", "--alternates", "127.0.0.1:70000"}, `--alternates`},
		{[]string{"serve", "--admit-rate", "nan"}, `--admit-rate must be finite and positive`},
		{[]string{"serve", "--admit-rate", "inf"}, `--admit-rate must be finite`},
		{[]string{"serve", "--failover-rate", "+Inf"}, `--failover-rate must be finite`},
		{[]string{"serve", "--addr-rate", "nan"}, `--addr-rate must be finite`},
		{[]string{"serve", "--addr-conns", "-1"}, `--addr-conns`},
		{[]string{"connect", "--server", "127.0.0.1:7000,,127.0.0.1:7001"}, `--server: ""`},
		{[]string{"connect", "--server="}, `--server`},
		{[]string{"connect", "--server", "127.0.0.1:65536"}, `--server`},
		{[]string{"token", "--secret-file", "s", "--id="}, `--id`},
		{[]string{"token", "--secret-file", "s", "--id", strings.Repeat("x", 129)}, `--id`},
		{[]string{"token", "--secret-file", "s", "--id", "a\x1b"}, `--id "a\x1b"`},
		{[]string{"connect", "--server", "nowhere"}, `--server: "nowhere" is not host:port`},
		{[]string{"connect", "--server", "127.0.0.1:0"}, `--server`},
		{[]string{"connect", "--id", strings.Repeat("x", 129)}, `--id`},
		{[]string{"connect", "--pong-timeout", "0s"}, `--pong-timeout`},
		{[]string{"bench", "bogus"}, `bogus`},
		{[]string{"bench", "hold", "--hartbeat", "3s"}, `--hartbeat`},
		{[]string{"doctor", "--conns", "0"}, `--conns`},
		{[]string{"doctor", "--conns", "many"}, `--conns`},
	} {
		p := stormwheel(t, tc.args...)
		code, out := p.exit()
		said := p.stderr.String()
		if code != exitUsage || len(out) != 0 || strings.Count(said, "\n") != 1 || !strings.Contains(said, tc.want) {
			t.Errorf("stormwheel %v: exit %d, output %q, error %q; want exit %d and one line with %q",
				tc.args, code, out, said, exitUsage, tc.want)
		}
	}
}

func TestHelpShowsDefaultsAndAnExample(t *testing.T) {
	for command, want := range map[string][]string{
		"serve":   {"Example: stormwheel serve ", "--heartbeat=30s", "Default: 2.5 times that", "Default 127.0.0.1:7000", "$STORMWHEEL_MAX_CONNS", "$STORMWHEEL_MAX_TLS12"},
		"connect": {"Example: stormwheel connect ", "Default 127.0.0.1:7000", "$STORMWHEEL_SERVER"},
		"bench":   {"stormwheel bench storm ", "$STORMWHEEL_SPAWN"},
		"doctor":  {"Example: stormwheel doctor ", "Default 10000", "$STORMWHEEL_CONNS"},
		"version": {"Example: stormwheel version"},
	} {
		code, out := stormwheel(t, command, "--help").exit()
		// Lines are broken wherever they happen to be full.
		text := strings.Join(strings.Fields(strings.Join(out, " ")), " ")
		for _, w := range want {
			if code != 0 || !strings.Contains(text, w) {
				t.Errorf("%s --help: exit %d, no %q in\n%s", command, code, w, strings.Join(out, "\n"))
			}
		}
	}
}

func TestVersionNamesWhatItRunsOn(t *testing.T) {
	code, out := stormwheel(t, "version").exit()
	if code != 0 || len(out) != 3 || !strings.HasPrefix(out[0], "stormwheel ") || !strings.HasPrefix(out[1], "go1.") || out[2] == "kernel (unknown)" {
		t.Errorf("version: exit %d, %q", code, out)
	}
}

func TestHelpAndVersionComeByTheirUsualWords(t *testing.T) {
	for _, tc := range []struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{[]string{"--version"}, 0, "kernel ", ""},
		{[]string{"help"}, 0, "Usage: stormwheel <command>", ""},
		{[]string{"help", "serve"}, 0, "Example: stormwheel serve ", ""},
		{nil, exitUsage, "", "Usage: stormwheel <command>"},
	} {
		p := stormwheel(t, tc.args...)
		code, out := p.exit()
		if said := p.stderr.String(); code != tc.code || !strings.Contains(strings.Join(out, "\n"), tc.stdout) ||
			!strings.Contains(said, tc.stderr) || (tc.stderr == "") != (said == "") {
			t.Errorf("stormwheel %v: exit %d, output %q, error %q", tc.args, code, out, said)
		}
	}
}

func TestNegativeNumbersAreValues(t *testing.T) {
	for in, want := range map[string]string{
		"serve --max-queued-total -1 --listen x": "serve --max-queued-total=-1 --listen x",
		"serve --memory-limit=-1 -2":             "serve --memory-limit=-1 -2",
		"bench hold --json -":                    "bench hold --json -",
		"serve -1":                               "serve -1",
	} {
		if got, _ := asParsed(strings.Fields(in)); strings.Join(got, " ") != want {
			t.Errorf("asParsed(%q) = %q, want %q", in, got, want)
		}
	}
	serve(t, "--max-queued-total", "-1", "--memory-limit", "-1")
}

func TestVersionNamesTheRevisionOfMake(t *testing.T) {
	defer func(was string) { revision = was }(revision)
	if revision = "v1-2-gabcdef-dirty"; buildVersion() != revision {
		t.Errorf("buildVersion() = %q, want %q", buildVersion(), revision)
	}
}

type coded int

func (coded) Error() string   { return "coded" }
func (c coded) ExitCode() int { return int(c) }

func TestErrorsCarryTheirExitCode(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want int
	}{
		{errors.New("plain"), 1},
		{usageError{errors.New("flag")}, 2},
		{coded(99), 99},
		{fmt.Errorf("bench: %w", coded(130)), 130},
		{coded(-1), 1}, // a child that a signal ended
		{coded(0), 1},  // an error is never a success
		{coded(256), 1},
	} {
		if got := exitCode(tc.err); got != tc.want {
			t.Errorf("exitCode(%v) = %d, want %d", tc.err, got, tc.want)
		}
	}
	if got := oneLine(errors.New("a\nb\r\nc")); got != "a; b; c" {
		t.Errorf("oneLine = %q", got)
	}
}
