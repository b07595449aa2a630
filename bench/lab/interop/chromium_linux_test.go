package interop

import (
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
)

// A page in Chromium opens a WebSocket within TLS.
func TestChromiumByWSS(t *testing.T) {
	chromium := program(t, "chromium")
	cfg := byTLS(t, server.ProxyOff)
	cfg.TrustedProxies, cfg.WebSocket.Origins = nil, []string{"null"} // a page of a file
	node, seen := startNode(t, cfg)
	_, port, _ := net.SplitHostPort(node.Addr())
	kick := codec.AppendSend(nil, 1, []byte("kick"))
	page := filepath.Join(t.TempDir(), "page.html")
	text := fmt.Sprintf(`<script>
const bytes = hex => Uint8Array.from(hex.match(/../g), h => parseInt(h, 16));
const w = new WebSocket("wss://127.0.0.1:%s/", "stormwheel.1");
w.onopen = () => w.send(bytes("%s"));
w.onmessage = () => w.send(bytes("%s"));
</script>`, port, hex.EncodeToString(hello("page")), hex.EncodeToString(kick))
	if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--ignore-certificate-errors",
		"--user-data-dir="+t.TempDir(), "--remote-debugging-port=0", "file://"+page) // with that it stays
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Skipf("chromium does not run here: %v", err)
	}
	defer func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	}()
	select {
	case is := <-seen:
		if is.by != server.TransportSecureWebSocket {
			t.Errorf("it came by %v", is.by)
		}
	case <-time.After(patience):
		t.Fatalf("no session: %v", node.Stats().Closes)
	}
	for end := time.Now().Add(patience); node.Stats().Closes[server.ReasonKicked] == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the page did not answer what it read")
		}
	}
}
