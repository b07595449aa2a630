package peers

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/bare"
)

// Mosquitto is a broker of MQTT 3.1.1, which our clients speak to it (bench/foreign).
const Mosquitto = "mosquitto"

// mosquittoReady is what tells that one listens: a process that it does not know.
const mosquittoReady = "mosquitto-ready"

// mosquittoBinary is where Debian puts it, which is not in everybody's path.
func mosquittoBinary() (string, error) {
	if path, err := exec.LookPath(Mosquitto); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + Mosquitto)
}

func mosquittoMissing() string {
	if _, err := mosquittoBinary(); err != nil {
		return "there is no mosquitto here (apt-get install mosquitto)"
	}
	return ""
}

// MosquittoVersion is what its help begins with; empty: it does not say.
func MosquittoVersion() string {
	path, err := mosquittoBinary()
	if err != nil {
		return ""
	}
	help, _ := exec.Command(path, "-h").Output() // it ends with an error
	line, _, _ := strings.Cut(string(help), "\n")
	_, version, _ := strings.Cut(line, "version ")
	return strings.TrimSpace(version)
}

// serveMosquitto becomes the broker: it returns only when that could not be. It keeps nothing on disk, and
// everybody may come in.
func serveMosquitto(t *Serve) (string, error) {
	path, err := mosquittoBinary()
	if err != nil {
		return "", err
	}
	addr, err := bare.Concrete(t.Listen)
	if err != nil {
		return "", err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	file, err := os.CreateTemp("", "mosquitto-*.conf")
	if err != nil {
		return "", err
	}
	settings := fmt.Sprintf("listener %s %s\nallow_anonymous true\npersistence false\nmax_queued_messages 1\nlog_type error\n", port, host)
	if os.Getuid() == 0 {
		settings += "user root\n" // or it changes to a user that cannot read the file
	}
	_, err = file.WriteString(settings)
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	self, err := os.Executable()
	if err == nil {
		ready := exec.Command(self, "serve", mosquittoReady, "--listen", addr, "--node", file.Name())
		ready.Stdout, ready.Stderr = os.Stdout, os.Stderr
		err = ready.Start()
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return "", fmt.Errorf("exec %s: %w", path, syscall.Exec(path, []string{path, "-c", file.Name()}, os.Environ()))
}

// awaitMosquitto ends the process once the broker listens: by then it has read its file. The broker is what
// started this process, and became the broker afterwards.
func awaitMosquitto(t *Serve) (string, error) {
	broker := os.Getppid()
	err := awaitListener(t.Listen)
	if err = errors.Join(err, os.Remove(t.Node)); err != nil {
		return "", err
	}
	t.ready(Mosquitto, t.Listen, broker)
	os.Exit(0)
	return "", nil
}

func awaitListener(addr string) error {
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp4", addr)
		if err == nil {
			return c.Close()
		}
		if time.Since(began) > patience {
			return err
		}
	}
}
