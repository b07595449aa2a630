package report

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A page is drawn for a screen and for a phone, and has its numbers in tables: without a script, too.
func TestAPageNeedsNoScript(t *testing.T) {
	var page bytes.Buffer
	if err := WriteHTML(&page, prepared(t, "half-lost")); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	for _, want := range []string{`viewBox="0 0 920 `, `viewBox="0 0 360 `, `<details><summary>The numbers</summary>`, `Sessions lost, per second: lost`,
		"@media (max-width:639px)", "@media print", "prefers-color-scheme:dark", `name="viewport"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.ContainsAny(pageScript, "<&") {
		t.Error("the script is no XML text")
	}
	if n := len(text); n > 300_000 {
		t.Errorf("the page has %d bytes", n)
	}
}

// The script is run by a browser, if there is one.
func TestTheNumbersAreReadByPointerAndKeys(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium")
	}
	var page bytes.Buffer
	if err := WriteHTML(&page, prepared(t, "half-lost")); err != nil {
		t.Fatal(err)
	}
	const play = `<script>
		const svg = document.querySelector('.broad svg'), box = document.querySelector('figure .reading'), d = svg.dataset, said = [];
		const r = svg.getBoundingClientRect(), at = s => r.left + (Number(d.left) + (s - d.min) / (d.max - d.min) * (d.right - d.left)) * r.width / svg.viewBox.baseVal.width;
		const say = () => said.push(box.hidden ? 'hidden' : box.textContent);
		svg.dispatchEvent(new PointerEvent('pointermove', {clientX: at(12.1), clientY: r.top + 50})); say();
		svg.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft'})); say();
		svg.dispatchEvent(new KeyboardEvent('keydown', {key: 'Home'})); say();
		svg.dispatchEvent(new PointerEvent('pointerleave')); say();
		document.body.textContent = 'SAID' + JSON.stringify(said) + (svg.tabIndex === 0) + 'SAID';
	</script></body>`
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(strings.Replace(page.String(), "</body>", play, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900", "--user-data-dir="+t.TempDir(), "--dump-dom", "file://"+file).Output()
	if err != nil {
		t.Skipf("chromium does not run here: %v", err)
	}
	said := regexp.MustCompile(`(?s)SAID(.*)SAID`).FindStringSubmatch(string(out))
	if said == nil {
		t.Fatalf("the page did not answer: %.500s", out)
	}
	readings := strings.Split(said[1], `","`)
	if len(readings) != 4 || !strings.Contains(readings[0], "12.0 seconds") || !strings.Contains(readings[0], "Sessions lost, per second: lost 500") ||
		!strings.Contains(readings[1], "11.0 seconds") || !strings.Contains(readings[1], "Sessions lost, per second: lost 0") || !strings.Contains(readings[2], "1.0 seconds") || !strings.HasPrefix(readings[3], `hidden"]true`) {
		t.Errorf("it said %q", readings)
	}
}
