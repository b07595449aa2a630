// The numbers of a chart under the pointer, or, where it has the focus, by the arrow keys.
'use strict';
for (const figure of document.querySelectorAll('figure')) {
	const table = figure.querySelector('table.readings');
	if (!table) continue;
	const names = Array.from(table.tHead.rows[0].cells, c => c.textContent);
	const rows = Array.from(table.tBodies[0].rows);
	const ats = rows.map(r => Number(r.dataset.at));
	if (rows.length === 0) continue;
	const box = document.createElement('div');
	box.className = 'reading';
	box.hidden = true;
	box.setAttribute('aria-live', 'polite');
	figure.append(box);
	let now = -1;
	const nearest = at => {
		let best = 0;
		ats.forEach((a, i) => { if (Math.abs(ats[best] - at) > Math.abs(a - at)) best = i; });
		return best;
	};
	const hide = () => {
		box.hidden = true;
		for (const line of figure.querySelectorAll('.cursor')) line.remove();
	};
	const show = (svg, i, top) => {
		hide();
		now = Math.min(Math.max(i, 0), rows.length - 1);
		const d = svg.dataset, view = svg.viewBox.baseVal;
		const share = (ats[now] - d.min) / ((d.max - d.min) || 1);
		const x = Number(d.left) + share * (d.right - d.left);
		const line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
		for (const [k, v] of [['class', 'cursor'], ['x1', x], ['x2', x], ['y1', 40], ['y2', view.height - 40]]) line.setAttribute(k, v);
		svg.append(line);
		box.replaceChildren();
		const head = document.createElement('b');
		head.textContent = rows[now].cells[0].textContent + ' ' + figure.dataset.unit;
		box.append(head);
		Array.from(rows[now].cells).forEach((cell, k) => {
			if (k === 0 || cell.textContent === '') return;
			const row = document.createElement('div');
			const value = document.createElement('span');
			row.textContent = names[k] + ' ';
			value.textContent = cell.textContent;
			row.append(value);
			box.append(row);
		});
		box.hidden = false;
		const scale = svg.clientWidth / view.width, room = figure.clientWidth, at = svg.offsetLeft || 0;
		const left = at + x * scale;
		box.style.left = (left + 14 + box.offsetWidth > room ? Math.max(left - 14 - box.offsetWidth, 0) : left + 14) + 'px';
		box.style.top = Math.max(Math.min(top, figure.clientHeight - box.offsetHeight), 0) + 'px';
	};
	for (const svg of figure.querySelectorAll('svg')) {
		if (svg.dataset.left === undefined) continue;
		svg.setAttribute('tabindex', '0');
		const place = e => {
			const r = svg.getBoundingClientRect(), d = svg.dataset;
			const x = (e.clientX - r.left) * svg.viewBox.baseVal.width / r.width;
			const share = (x - d.left) / (d.right - d.left);
			show(svg, nearest(Number(d.min) + share * (d.max - d.min)), e.clientY - figure.getBoundingClientRect().top + 16);
		};
		svg.addEventListener('pointermove', place);
		svg.addEventListener('pointerdown', place);
		svg.addEventListener('pointerleave', hide);
		svg.addEventListener('blur', hide);
		svg.addEventListener('keydown', e => {
			const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -rows.length, End: rows.length }[e.key];
			if (e.key === 'Escape') hide();
			if (step === undefined) return;
			e.preventDefault();
			show(svg, (0 > now ? 0 : now + step), 60);
		});
	}
}
