"use strict";
(function () {
	var root = document.documentElement;
	root.classList.add("js");

	var dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
	var theme = document.getElementById("theme");
	function name() { theme.textContent = dark ? "light" : "dark"; }
	name();
	theme.addEventListener("click", function () {
		dark = !dark;
		root.setAttribute("data-theme", dark ? "dark" : "light");
		name();
	});

	function sections() { return Array.from(document.querySelectorAll("details.section")); }
	var all = document.getElementById("all");
	all.addEventListener("click", function () {
		var open = all.textContent === "open all";
		sections().forEach(function (d) { d.open = open; });
		all.textContent = open ? "close all" : "open all";
	});

	/* A link of the list of contents opens what it leads to. */
	document.querySelectorAll("nav a").forEach(function (a) {
		a.addEventListener("click", function () {
			var target = document.getElementById(a.getAttribute("href").slice(1));
			if (target) target.open = true;
		});
	});

	function copied(button) {
		button.textContent = "copied";
		setTimeout(function () { button.textContent = "copy"; }, 1200);
	}
	function copyOldWay(text) {
		var area = document.createElement("textarea");
		area.value = text;
		document.body.appendChild(area);
		area.select();
		document.execCommand("copy");
		area.remove();
	}
	document.querySelectorAll("button.copy").forEach(function (button) {
		button.addEventListener("click", function (event) {
			event.preventDefault();
			var text = button.previousElementSibling.textContent;
			if (navigator.clipboard)
				navigator.clipboard.writeText(text).then(function () { copied(button); },
					function () { copyOldWay(text); copied(button); });
			else {
				copyOldWay(text);
				copied(button);
			}
		});
	});

	/* On paper nothing can be opened. */
	var closed = [];
	window.addEventListener("beforeprint", function () {
		closed = Array.from(document.querySelectorAll("details:not([open])"));
		closed.forEach(function (d) { d.open = true; });
	});
	window.addEventListener("afterprint", function () {
		closed.forEach(function (d) { d.open = false; });
	});
})();
