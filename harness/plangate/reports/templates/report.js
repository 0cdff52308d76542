"use strict";
(function () {
  // Everything is put on the page as text, never as markup: names and reasons come from the app under test.
  var data = JSON.parse(document.getElementById("data").textContent);
  var panel = document.getElementById("panel");
  var LISTED = 40;
  var opener = null;

  function make(tag, className, text) {
    var element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    for (var i = 3; i < arguments.length; i++) element.append(arguments[i]);
    return element;
  }
  function cells(n) { return n.toLocaleString("en") + (n === 1 ? " cell" : " cells"); }
  function link(plan, capability, state) {
    return "#" + [data.plans[plan], data.capabilities[capability], data.states[state]].map(encodeURIComponent).join("/");
  }
  function squareAt(fragment) {
    return Array.prototype.find.call(document.querySelectorAll("a.q"), function (a) { return a.getAttribute("href") === fragment; });
  }
  function decoded(part) { try { return decodeURIComponent(part); } catch (_) { return part; } }

  // #plan/capability or #plan/capability/state; without a state, the first one that has a finding.
  function parse(hash) {
    var parts = hash.replace(/^#/, "").split("/").map(decoded);
    if (parts.length < 2) return null;
    var plan = data.plans.indexOf(parts[0]), capability = data.capabilities.indexOf(parts[1]);
    if (plan < 0 || capability < 0) return null;
    if (parts.length > 2) {
      var state = data.states.indexOf(parts[2]);
      return state < 0 ? null : { plan: plan, capability: capability, state: state };
    }
    var found = data.states.findIndex(function (_, s) { return failing(rows(s, plan, capability)) > 0; });
    return { plan: plan, capability: capability, state: found < 0 ? 0 : found };
  }
  function rows(state, plan, capability) { return data.cells[state + "." + plan + "." + capability] || []; }
  function failing(list) { return list.filter(function (row) { return data.verdicts[row[0]] !== "pass"; }).length; }

  function grouped(list) {
    var groups = new Map();
    list.forEach(function (row) {
      var key = [row[0], row[1], row[2], row[6]].join("|");
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(row);
    });
    var worst = ["leak", "flaky", "lockout", "mismatch", "error", "unseen", "pass"];
    return Array.from(groups.values()).sort(function (a, b) {
      return worst.indexOf(data.verdicts[a[0][0]]) - worst.indexOf(data.verdicts[b[0][0]]) || b.length - a.length;
    });
  }

  function definition(list, name, value) { list.append(make("dt", "", name), value); }

  function badge(verdict, leaked) {
    if (verdict === "unseen") return "not in every pass";
    return leaked && verdict !== "leak" ? verdict + ", leaked" : verdict;
  }

  function group(members) {
    var first = members[0], verdict = data.verdicts[first[0]], due = data.expected[first[1]];
    var box = make("div", "group " + verdict);
    box.append(make("h3", "", undefined, make("span", "badge " + verdict, badge(verdict, first[6])), cells(members.length)));
    var list = make("dl");
    definition(list, "Expected", make("dd", "", due[0]));
    var why = make("dd", "", "Rule " + due[2] + ". " + (data.rules[due[2]] || ""));
    why.append(make("br"), make("code", "", due[3]));
    definition(list, "Why", why);
    var observed = make("dd");
    data.observed[first[2]].forEach(function (seen) {
      observed.append(make("div", "", seen[0] + ", " + seen[2] + (seen[2] === 1 ? " time" : " times")));
      if (seen[3]) observed.append(make("code", "", seen[3]));
    });
    definition(list, "Observed", observed);
    box.append(list);
    if (verdict !== "pass") box.append(make("code", "command", command(first)));
    box.append(listed(members));
    return box;
  }

  function listed(members) {
    var list = make("ul", "cells"), shown = 0;
    var more = make("button", "more");
    function show(count) {
      members.slice(shown, shown + count).forEach(function (row) { list.append(cell(row)); });
      shown = Math.min(members.length, shown + count);
      more.hidden = shown >= members.length;
      more.textContent = "Show " + Math.min(200, members.length - shown) + " more of " + members.length.toLocaleString("en");
    }
    more.type = "button";
    more.addEventListener("click", function () { show(200); });
    show(LISTED);
    return make("div", "", undefined, list, more);
  }

  function cell(row) {
    var axes = data.axes.map(function (axis, i) {
      var value = data.values[i][row[7 + i]];
      return value === data.normal[i] ? "" : axis + " " + value;
    }).filter(Boolean).join(" · ");
    var retried = row[5] ? " · " + row[5] + " retried" : "";
    var details = make("details", "", undefined, make("summary", "", (axes || "as usual") + retried));
    details.append(make("code", "command", command(row)));
    return make("li", "", undefined, details);
  }

  function command(row) { return data.commands[row[3]].replace("{}", row[4]); }

  function states(at) {
    var list = make("ul", "states");
    data.states.forEach(function (name, s) {
      var square = squareAt(link(at.plan, at.capability, s));
      if (!square) return;
      var a = make("a", failing(rows(s, at.plan, at.capability)) ? "finding" : "", name + " " + square.textContent);
      a.href = link(at.plan, at.capability, s);
      if (s === at.state) a.setAttribute("aria-current", "true");
      list.append(make("li", "", undefined, a));
    });
    return list;
  }

  function open(at) {
    var list = rows(at.state, at.plan, at.capability), square = squareAt(link(at.plan, at.capability, at.state));
    document.querySelectorAll(".q.open").forEach(function (a) { a.classList.remove("open"); });
    if (square) { square.classList.add("open"); opener = square; }
    var close = make("button", "close", "×");
    close.type = "button";
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", shut);
    panel.replaceChildren(close, make("h2", "", data.plans[at.plan] + " · " + data.capabilities[at.capability]));
    panel.append(states(at));
    if (square) panel.append(make("p", "note", square.getAttribute("aria-label")));
    grouped(list).forEach(function (members) { panel.append(group(members)); });
    if (!data.everything) panel.append(make("p", "note", "Cells that passed are counted, not listed, in a run of this size."));
    panel.hidden = false;
    panel.scrollTop = 0;
    document.body.classList.add("opened");
    if (square) square.scrollIntoView({ block: "nearest" });
    panel.focus({ preventScroll: true });
  }

  function shut() {
    panel.hidden = true;
    document.body.classList.remove("opened");
    document.querySelectorAll(".q.open").forEach(function (a) { a.classList.remove("open"); });
    history.replaceState(null, "", location.pathname + location.search);
    if (opener) opener.focus();
  }

  function follow() {
    var at = parse(location.hash);
    if (at) open(at); else if (!panel.hidden) shut();
  }

  // One tab stop a table; arrows walk from square to square.
  document.querySelectorAll("table.panel").forEach(function (table) {
    table.querySelectorAll("a.q").forEach(function (a, i) { if (i) a.tabIndex = -1; });
    table.addEventListener("keydown", function (event) {
      var step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      var td = event.target.closest("td");
      if (!step || !td) return;
      var row = table.tBodies[0].rows[td.parentNode.sectionRowIndex + step[0]];
      var next = row && row.cells[td.cellIndex + step[1]] && row.cells[td.cellIndex + step[1]].querySelector("a.q");
      if (!next) return;
      event.preventDefault();
      next.tabIndex = 0;
      event.target.tabIndex = -1;
      next.focus();
    });
  });
  document.addEventListener("keydown", function (event) { if (event.key === "Escape" && !panel.hidden) shut(); });
  document.addEventListener("click", function (event) {
    var a = event.target.closest && event.target.closest("a.q, .count a, .states a");
    if (a && a.getAttribute("href") === location.hash) follow();
  });
  window.addEventListener("hashchange", follow);
  follow();
})();
