package peers

import (
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/stormwheel/stormwheel/bench/lab/bare"
)

const netty = "netty"

// nettyJars is where Debian's libnetty-java puts what nettySource is built against.
const nettyJars = "/usr/share/java"

// nettyFlags: a heap that holds 20,000 connections and is given back to the system when a
// collection has emptied it, and as many buffer arenas as event loops.
var nettyFlags = []string{"-Xms16m", "-Xmx128m", "-XX:+UseSerialGC", "-XX:MinHeapFreeRatio=10", "-XX:MaxHeapFreeRatio=20",
	"-Dio.netty.allocator.numDirectArenas=2", "-Dio.netty.allocator.numHeapArenas=2", "-Dio.netty.leakDetection.level=disabled"}

const nettyFlagsText = "`-Xms16m -Xmx128m`, serial collector, free heap given back, 2 buffer arenas"

//go:embed netty/*.java
var nettySource embed.FS

// nettyMissing says why Netty can't run here.
func nettyMissing() string {
	for _, tool := range []string{"javac", "java"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "there is no " + tool + " here (apt-get install openjdk-17-jdk-headless)"
		}
	}
	if _, err := nettyVersion(); err != nil {
		return "there is no " + nettyJars + "/netty-handler-*.jar (apt-get install libnetty-java)"
	}
	return ""
}

// nettyVersion is what the name of the jar says: Debian links netty-handler-VERSION.Final.jar
// to netty-handler.jar.
func nettyVersion() (string, error) {
	names, err := filepath.Glob(filepath.Join(nettyJars, "netty-handler-[0-9]*.jar"))
	if err != nil || len(names) == 0 {
		return "", errors.Join(err, os.ErrNotExist)
	}
	version := strings.TrimPrefix(filepath.Base(names[0]), "netty-handler-")
	return strings.TrimSuffix(strings.TrimSuffix(version, ".jar"), ".Final"), nil
}

// serveNetty becomes the Java server: it returns only when that could not be.
func serveNetty(t *Serve) (string, error) {
	classes, err := buildNetty()
	if err != nil {
		return "", err
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return "", err
	}
	addr, err := bare.Concrete(t.Listen)
	if err != nil {
		return "", err
	}
	argv := append([]string{"java"}, nettyFlags...)
	argv = append(argv, "-cp", classes+":"+nettyClassPath(), "Server", addr, strconv.Itoa(t.Loops),
		strconv.FormatInt(t.Heartbeat.Milliseconds(), 10), strconv.FormatInt(t.Timeout.Milliseconds(), 10))
	return "", fmt.Errorf("exec %s: %w", java, syscall.Exec(java, argv, os.Environ()))
}

func nettyClassPath() string {
	var jars []string
	for _, part := range []string{"buffer", "codec", "common", "handler", "resolver", "transport"} {
		jars = append(jars, filepath.Join(nettyJars, "netty-"+part+".jar"))
	}
	return strings.Join(jars, ":")
}

// buildNetty compiles the embedded source once for each version of it, and gives the folder
// of the classes.
var buildNetty = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	cache = filepath.Join(cache, "stormwheel-peers")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(cache, "build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	classes := filepath.Join(work, "classes")
	args := []string{"-d", classes, "-cp", nettyClassPath()}
	sum := sha256.New()
	files, err := nettySource.ReadDir("netty")
	if err != nil {
		return "", err
	}
	for _, f := range files {
		text, err := nettySource.ReadFile("netty/" + f.Name())
		if err != nil {
			return "", err
		}
		sum.Write(text)
		path := filepath.Join(work, f.Name())
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return "", err
		}
		args = append(args, path)
	}
	kept := filepath.Join(cache, fmt.Sprintf("netty-%x", sum.Sum(nil)[:8]))
	if _, err := os.Stat(kept); err == nil {
		return kept, nil
	}
	if out, err := exec.Command("javac", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("javac: %w\n%s", err, out)
	}
	if err := os.Rename(classes, kept); err != nil && !errors.Is(err, os.ErrExist) { // another was faster
		return "", err
	}
	return kept, nil
})
