package benchtest

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// Mosquitto is a real broker, in its own process.
type Mosquitto struct {
	Addr string
	Cmd  *exec.Cmd
	conf string
}

// StartMosquitto starts one on a free port of this machine. settings are lines of its
// configuration.
func StartMosquitto(t *testing.T, settings string) *Mosquitto {
	t.Helper()
	binary, err := exec.LookPath("mosquitto")
	if err != nil {
		if binary, err = exec.LookPath("/usr/sbin/mosquitto"); err != nil {
			t.Skip("no mosquitto here: the tests against a real broker are skipped (Debian: apt-get install mosquitto)")
		}
	}
	m := &Mosquitto{Addr: FreeAddr(t), conf: filepath.Join(t.TempDir(), "mosquitto.conf")}
	if os.Getuid() == 0 {
		settings += "user root\n" // or it changes to a user that cannot read our files
	}
	port := netip.MustParseAddrPort(m.Addr).Port()
	conf := fmt.Sprintf("listener %d 127.0.0.1\nmax_queued_messages 1\nlog_type error\n%s", port, settings)
	if err := os.WriteFile(m.conf, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	m.Start(t, binary)
	t.Cleanup(m.Kill)
	return m
}

// Start starts it again, after Kill.
func (m *Mosquitto) Start(t *testing.T, binary string) {
	t.Helper()
	m.Cmd = exec.Command(binary, "-c", m.conf)
	m.Cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	WaitFor(t, "mosquitto listens", func() bool {
		c, err := net.Dial("tcp4", m.Addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// Kill may be repeated.
func (m *Mosquitto) Kill() {
	_ = m.Cmd.Process.Kill()
	_ = m.Cmd.Wait()
}
