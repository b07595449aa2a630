package bench

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// mosquitto is a real broker, in its own process.
type mosquitto struct {
	addr string
	cmd  *exec.Cmd
	conf string
}

// startMosquitto starts one on a free port of this machine. settings are lines of its
// configuration.
func startMosquitto(t *testing.T, settings string) *mosquitto {
	t.Helper()
	binary, err := exec.LookPath("mosquitto")
	if err != nil {
		if binary, err = exec.LookPath("/usr/sbin/mosquitto"); err != nil {
			t.Skip("no mosquitto here: the tests against a real broker are skipped (Debian: apt-get install mosquitto)")
		}
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mosquitto{addr: l.Addr().String(), conf: filepath.Join(t.TempDir(), "mosquitto.conf")}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	if os.Getuid() == 0 {
		settings += "user root\n" // or it changes to a user that cannot read our files
	}
	conf := fmt.Sprintf("listener %d 127.0.0.1\nmax_queued_messages 1\nlog_type error\n%s", port, settings)
	if err := os.WriteFile(m.conf, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	m.start(t, binary)
	t.Cleanup(m.kill)
	return m
}

func (m *mosquitto) start(t *testing.T, binary string) {
	t.Helper()
	m.cmd = exec.Command(binary, "-c", m.conf)
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "mosquitto listens", func() bool {
		c, err := net.Dial("tcp4", m.addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// kill may be repeated.
func (m *mosquitto) kill() {
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
}
