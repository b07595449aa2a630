package machine

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCgroupLimitOfBothVersions(t *testing.T) {
	for _, tt := range []struct {
		name   string
		groups string
		files  map[string]string
		limit  int64 // 0: none
		used   int64
	}{
		{"v2", "0::/app\n", map[string]string{
			"app/memory.max": "1000\n", "app/memory.current": "700\n", "app/memory.stat": "anon 600\ninactive_file 50\n"}, 1000, 650},
		{"v2, the parent is tighter", "0::/a/b\n", map[string]string{
			"a/b/memory.max": "max\n", "a/memory.max": "500\n", "a/memory.current": "100\n"}, 500, 100},
		{"v2 in a container", "0::/\n", map[string]string{"memory.max": "300\n", "memory.current": "100\n"}, 300, 100},
		{"v2 without a limit", "0::/app\n", map[string]string{"app/memory.max": "max\n"}, 0, 0},
		{"v1", "4:memory:/app\n0::/\n", map[string]string{
			"memory/app/memory.limit_in_bytes": "1000\n", "memory/app/memory.usage_in_bytes": "800\n",
			"memory/app/memory.stat": "inactive_file 1\ntotal_inactive_file 100\n"}, 1000, 700},
		{"v1, path of the host", "4:memory:/docker/123\n", map[string]string{
			"memory/memory.limit_in_bytes": "1000\n", "memory/memory.usage_in_bytes": "800\n"}, 1000, 800},
		{"v1 without a limit", "4:memory:/app\n", map[string]string{
			"memory/app/memory.limit_in_bytes": "9223372036854771712\n"}, 0, 0},
		{"nothing", "", nil, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			list := filepath.Join(dir, "self")
			write(t, list, tt.groups)
			for name, text := range tt.files {
				write(t, filepath.Join(dir, "fs", name), text)
			}
			g, ok := findCgroup(list, filepath.Join(dir, "fs"))
			if ok != (tt.limit > 0) || g.limit != tt.limit {
				t.Fatalf("limit %d, %v; want %d", g.limit, ok, tt.limit)
			}
			if used, _ := g.used(); ok && used != tt.used {
				t.Errorf("used %d, want %d", used, tt.used)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestResidentMemoryIsPlausible(t *testing.T) {
	if n, ok := Resident(); !ok || n < 1<<20 || n > Memory() {
		t.Errorf("resident %d bytes of %d, %v", n, Memory(), ok)
	}
}
