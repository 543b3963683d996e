/* referrald: keeps ref and click_id of this page's address, first-party, and fills form fields so named.
   With Global Privacy Control nothing is kept: only this address's own values are filled in. */
(function (w, d) {
  'use strict';
  var KEY = 'referral', DAYS = 90, MAX = 5;
  var gpc = !!navigator.globalPrivacyControl, mem = {};

  function fit(v, re) { return v && re.test(v) ? v : ''; }
  function read() {
    var m = ('; ' + d.cookie).match('; ' + KEY + '=([^;]*)'), s = m && m[1];
    try { s = s || localStorage.getItem(KEY); } catch (e) {}
    try { return JSON.parse(decodeURIComponent(s)) || {}; } catch (e) { return {}; }
  }
  function keep(v) {
    var s = encodeURIComponent(JSON.stringify(v));
    d.cookie = KEY + '=' + s + ';path=/;max-age=' + DAYS * 86400 + ';SameSite=Lax' +
      (location.protocol === 'https:' ? ';Secure' : '');
    try { localStorage.setItem(KEY, s); } catch (e) {}
  }

  var q = new URLSearchParams(location.search);
  var ref = fit(q.get('ref'), /^[\w-]{3,64}$/), id = fit(q.get('click_id'), /^click_[0-9a-z]{26}$/);
  if (!gpc) mem = read();
  var age = Date.now() - (mem.at || 0);
  if (age > DAYS * 864e5) mem = {};
  var ids = Array.isArray(mem.ids) ? mem.ids : [];
  if (id) ids = ids.filter(function (x) { return x !== id; }).concat(id).slice(-MAX);
  mem = { ref: ref || mem.ref || '', ids: ids, at: ref || id ? Date.now() : mem.at };
  if (!gpc && (ref || id)) keep(mem);

  function fill(root) {
    [['ref', mem.ref], ['click_id', ids[ids.length - 1]]].forEach(function (p) {
      if (!p[1]) return;
      root.querySelectorAll('input[name="' + p[0] + '"]').forEach(function (i) {
        if (!i.value) i.value = p[1];
      });
    });
  }
  function all() { fill(d); }
  if (d.readyState === 'loading') d.addEventListener('DOMContentLoaded', all); else all();
  d.addEventListener('submit', function (e) { fill(e.target); }, true);
  w.referral = { ref: mem.ref, click_id: ids[ids.length - 1] || '', click_ids: ids.slice() };
})(window, document);
