"""Writes golden.json: expressions and templates with the output of Jinja 2. Run it in this
directory with jinja2 3.1."""
import json

from reference import rendered

context = {
    "s": " Hello, Wörld's \"end\" \n", "w": "one two  three", "e": "", "n": 7, "neg": -7, "x": 2.5, "big": 1e20, "t": True, "no": None,
    "l": [3, 1, 2], "ll": ["b", "A", "c", "a"], "d": {"b": 1, "a": [1, "two", None, True], "é": {"k": 0.1}}, "empty": [],
    "ms": [{"role": "system", "content": " be brief "}, {"role": "user", "content": "hi\nthere"},
           {"role": "assistant", "content": "yo <b>", "n": 2}, {"role": "user", "content": "😀x"}],
}

expressions = r"""
s
s|trim
s.strip()
s.strip(' H')
s.lstrip()
s.rstrip('\n')
s|upper
s|lower
s|title
s|capitalize
s.title()
s.capitalize()
w|title
s|length
w|length
e|length
l|length
d|length
s[0]
s[1:4]
s[-3:]
s[::-1]
s[::2]
s[5:1]
s[5:1:-1]
s[100]
s[100:]
w[-1]
l[0]
l[-1]
l[1:]
l[::-1]
l[7]
w.split()
w.split(' ')
w.split('o')
w.split('o',1)
w.rsplit('o',1)
w.rsplit(' ',1)
w.split(none,1)
w.rsplit(none,1)
w.split('zz')
e.split()
e.split('x')
'a\nb\r\nc'.splitlines()
'a\nb\n'.splitlines()
'a\nb\n'.splitlines(true)
w.startswith('one')
w.endswith(('x','three'))
w.find('t')
w.find('z')
w.rfind('e')
w.count('e')
w.replace('o','0')
w.replace('o','0',1)
'abc'.replace('','-')
w|replace('one','1')
s.isdigit()
'12'.isdigit()
'ab'.isalpha()
'AB'.isupper()
'a1'.isalnum()
' '.isspace()
'1A'.islower()
'abc'.removeprefix('a')
'abc'.removesuffix('bc')
'-'.join(ll)
ll|join
ll|join(', ')
l|join('-')
ms|join('|',attribute='role')
n+1
n-10
n*3
n/2
n//2
neg//2
n%3
neg%3
n**2
2**-1
x*2
x+n
1e3
1.5e-7
big
0.1+0.2
100.0
1/3
-n
+n
-x
-n|abs
7//2.0
-7.5%2
5%-3
-5//3
n*'ab'
'ab'*2
l*2
l+ll
2**3**2
1==1.0
true==1
'a'=='a'
l==[3,1,2]
d=={}
1!=2
1<2<3
1<3<2
'a'<'b'
[1,2]<[1,3]
n>5
n>=7
n<=6
'a'in'abc'
'b'not in'abc'
2in l
9in l
'b'in d
'z'in d
'x'in undef
t and n
e or n
no or 'z'
not t
not e
n if t else e
n if e else x
n if e
(1,2)
(1,)
()
[1,'a',none,true,2.0,'it\'s']
{'a':1,2:'b'}
[[],{}]
['a"b','c\'d"e','t\tn\n\\','\x01é\u200b']
undef
undef|default('z')
undef|default
undef|d('q')
e|default('z')
e|default('z',true)
no|default('z')
no|default('z',true)
undef|length
undef|trim
undef~'a'
no~1~x~l
undef|upper
undef==undef
undef|list
undef|join
d.zz
d.zz|default(4)
d.b
d['b']
d.a[1]
d.get('b')
d.get('q')
d.get('q',3)
d.keys()|list
d.values()|list
d.items()|list
d|items|list
d|dictsort
d.é.k
d|list
ms[1].content
ms[1]['content']
ms[-1].role
ms[9]
d|first
l|first
l|last
empty|first
empty|last
l|sort
l|sort(reverse=true)
ll|sort
ll|sort(case_sensitive=true)
l|max
l|min
ll|max
l|sum
l|reverse|list
s|reverse
ll|unique|list
[1,1,2]|unique|list
ms|sort(attribute='role')|map(attribute='content')|list
ms|map(attribute='role')|list
ms|map(attribute='n',default=0)|list
ll|map('upper')|list
ll|map('replace','a','x')|list
ms|selectattr('role','equalto','user')|map(attribute='content')|list
ms|rejectattr('role','equalto','user')|list|length
ms|selectattr('n')|list|length
ms|selectattr('n','defined')|list|length
l|select('>',1)|list
l|select('odd')|list
l|reject('odd')|list
[0,1,none,'a']|select|list
l|batch(2)|list
ms|selectattr('role','in',['system','assistant'])|map(attribute='role')|join(',')
n|string|length
x|int
'12'|int
'z'|int
'3.7'|int
'z'|int(5)
'1.5'|float
x|round
2.567|round(1)
2.5|round
3.5|round
2.1|round(0,'ceil')
2.9|round(0,'floor')
n|abs
neg|abs
w|wordcount
'<a&"b>'|e
'<a>'|safe
d|tojson
l|tojson
ms|tojson
s|tojson
'<|\u2028\x7f\x01/'|tojson
d|tojson(indent=2)
d|tojson(indent=4)
[]|tojson(indent=2)
{}|tojson
d|tojson(sort_keys=true)
1.0|tojson
1e20|tojson
true|tojson
none|tojson
'é😀'|tojson(ensure_ascii=true)
[1,[2,{'a':[]}]]|tojson(indent=1)
d|tojson(separators=(',',':'))
s is string
n is number
n is integer
x is float
t is boolean
t is number
t is integer
no is none
d is mapping
l is mapping
l is sequence
d is sequence
s is sequence
l is iterable
n is iterable
undef is defined
undef is undefined
undef is not defined
s is defined
n is odd
n is even
n is divisibleby 7
n is divisibleby(3)
t is true
t is false
1 is true
n is eq 7
n is gt(3)
'AB' is upper
'ab' is lower
n is in l
3 is in(l)
range is callable
none is sameas none
d.zz is defined
d.b is defined and d.b is number
not d.zz is defined
range(3)|list
range(1,4)|list
range(5,0,-2)|list
dict(a=1,b=2)
dict({'a':1},b=3)
'a''b'
'\u00e9\x41\101\q\''
"a'b"
'x'~1+2
1~2*3
'a'+'b'~'c'
-2**2
(-2)**2
not 1==2
1+2*3-4/2
w['upper']()
'a,b'.split(',')[1]
[1,2,3][1:][0]
{'a':{'b':[5]}}.a.b[0]
'ab'[0]|upper
'A'|lower~'B'|lower
3.14|string
'%s-%d'%('a',3)
'{}-{}'.format('a',1)
'{1}{0}'.format('a','b')
'{k}'.format(k=2)
'a{{b'.format()
e|trim|length
'xxhixx'|trim('x')
'a b'|indent
'a\n\nb'|indent(2)
'a\nb'|indent(2,true)
'a\nb'|indent('>>')
(n,x)|join('/')
'ǆ'|upper
'ß'|length
'a'<1
1+'a'
no+1
l.zz.y
undef.x
n()
'a'.zz
s|length>3
l|length==3
ms|length-1
n%2==0
n%2!=0
(n%2==0)!=(n%2==1)
"""

templates = [
    "  {% if t %}\n  yes\n  {% endif %}\n  no\n", "a {%- if t -%}  b  {%- endif -%}  c", "{% if t %} a {%+ if n %}b{% endif +%}\nc{% endif %}", "  {# c #}\nx {#- c -#}  y", "x\n\n", "x\r\ny\r", "{{- s -}}  .",
    "{% raw %}{{ x }} {% if %}{% endraw %}\nz", " {%- raw -%}  {{ a }}  {%- endraw -%}  b", "a\n  {% raw %}\n x\n  {% endraw %}\nb",
    "{% for i in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.cycle('a','b') }}:{{ i }} {% endfor %}",
    "{% for i in l %}{{ loop.previtem }}<{{ i }}>{{ loop.nextitem }};{{ loop.changed(i > 1) }}{% endfor %}",
    "{% for i in empty %}a{% else %}none{% endfor %}{% for i in undef %}a{% else %}none{% endfor %}", "{% for i in l if i > 1 %}{{ loop.index }}/{{ loop.length }}:{{ i }} {% else %}x{% endfor %}{% for i in l if i > 9 %}{% else %}x{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for c in 'aé😀' %}{{ c }}.{% endfor %}", "{% for i in l %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}{% for i in l %}{% if i == 1 %}{% break %}{% endif %}{{ i }}{% endfor %}",
    "{% set a = 1 %}{% for i in l %}{% set a = a + i %}{{ a }}{% endfor %}{{ a }}", "{% set ns = namespace(a=1) %}{% for i in l %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns.b }}", "{% if t %}{% set q = 2 %}{% endif %}{{ q }}{% if e %}{% set q = 3 %}{% endif %}{{ q }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set c = a, b %}{{ c }}", "{% set a %}x{{ n }}y{% endset %}[{{ a }}]{% set b | upper | trim %}  abc {% endset %}[{{ b }}]", "{% for i in l %}{{ q is defined }}{% set q = i %}{% endfor %}",
    "{% macro m(a, b='z', c=none) %}<{{ a }}{{ b }}{{ c }}>{% endmacro %}{{ m(1) }}{{ m(1, 2) }}{{ m(b=3, a=4) }}{{ m() }}", "{% macro m(a) -%}{{ a }}{{ caller(a) }}{%- endmacro %}{% call(x) m(5) %}({{ x }}{{ n }}){% endcall %}",
    "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}", "{% macro m() %}{{ late }}{% endmacro %}{% set late = 5 %}{{ m() }}", "{% macro m(x) %}{% set x = x + 1 %}{{ x }}{% endmacro %}{% set x = 9 %}{{ m(1) }}{{ x }}",
    "{% filter upper %}a{{ w }}{% endfilter %}", "{% filter replace('a', 'b') | upper %}aXa{% endfilter %}", "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a }}", "{% with %}{% set z = 1 %}{{ z }}{% endwith %}{{ z }}",
    "{% for x in [1, [2, [3]]] recursive %}{% if x is number %}{{ x }}@{{ loop.depth }}{% else %}({{ loop(x) }}){% endif %}{% endfor %}", "{% if e %}a{% elif n == 7 %}b{% elif t %}c{% else %}d{% endif %}{% if e %}a{% elif e %}b{% else %}d{% endif %}",
    "{% for m in ms %}\n    {%- if loop.first and m.role == 'system' %}\n        {{- '[S]' + m.content|trim + '\\n' }}\n    {%- else %}\n        {{- '<' ~ m['role'] ~ '>' ~ m.content ~ '\\n' }}\n    {%- endif %}\n{% endfor %}\n", "{% generation %}a{{ n }}\n{% endgeneration %}\nb",
    "{% set m = ms[1:] %}{% for x in m %}{{ x.role }}{% if not loop.last %}, {% endif %}{% endfor %}", "{{ ms | selectattr('role', 'equalto', 'zz') is defined }}{% if ms | selectattr('role', 'equalto', 'zz') %}T{% endif %}{% if ms | selectattr('role', 'equalto', 'zz') | list %}T{% endif %}", "{% set g = l | map('string') %}{{ g | first }}{{ g | join }}{{ g | join }}",
    "{{ raise_exception('no ' ~ n) }}", "{% if x is defined and x %}{{ x }}{% endif %}{{ {'a': 1}['a'] }}{{ {}|length }}", "{{ '{{' }}{{ '%}' }}{{ \"}}\" }}", "{% set x = {'a': {'b': 1}} %}{{ x.a.b }}{{ x['a']['c'] }}", "{{ d['a'] | length }}{{ d.items() | list | length }}", "{% set l2 = l + [4] %}{{ l2 }}{% set _ = 5 %}", "{{ l.append(4) }}", "{{ d.update({}) }}", "{{ d.pop('a') }}",
    "{%if t%}a{%endif%}{{s|trim}}{{'a'if t else'b'}}", "{% for a in [[1, 2], [3, 4]] %}{% for b in a %}{{ loop.index }}{{ b }}{% endfor %}{{ loop.index }}{% endfor %}", "{{ 'a' if undef is defined else 'b' }}{{ 'x' if n is number and n > 3 else 'y' }}", "{{ 1 if t }}{{ 1 if e }}|", "{# a {{ b }} #}{# c\n#}\nd", "a{{ 1 }}\n\n  {% if t %}b{% endif %}\n\n  c", "{%- set x -%}  y  {%- endset -%}  [{{ x }}]", "\n\n{% if t %}\n\na\n{% endif %}\n\n",
]


# Markup of |safe and |escape, falsy values and undefined ones in filters, and unknown filters and
# tests, which Jinja 2 refuses only where they are used if they stand in a condition.
odd = r"""
{{ None | selectattr('a') | list }}
{{ None | rejectattr('a') | list }}
{{ None | select | list }}
{{ None | reject('eq', 1) | list }}
{{ None | map('upper') | list }}
{{ None | map(attribute='a') | list }}
{{ none|list }}
{{ none|length }}
{{ none|join(',') }}
{{ none|first }}
{{ none|sum }}
{{ none|unique|list }}
{{ none|sort }}
{{ none|batch(2)|list }}
{{ none|reverse }}
{{ none|max }}
{{ none|items|list }}
{{ none|dictsort }}
{{ none|trim }}
{{ none|upper }}
{{ none|default('x') }}
{{ none|default('x', true) }}
{{ none|selectattr('a')|list|length }}
{{ 0|selectattr('a')|list }}
{{ 0|map('upper')|list }}
{{ false|select|list }}
{{ ''|select|list }}
{{ 5|select|list }}
{{ u|selectattr('a')|list }}
{{ u|map('upper')|list }}
{{ u|list }}
{{ u|length }}
{{ u|join(',') }}
{{ u|first }}|
{{ u|last }}|
{{ u|sum }}
{{ u|trim }}|
{{ u|upper }}|
{{ u|tojson }}
{{ u|int }}
{{ u|float }}
{{ u|string }}|
{{ u|items|list }}
{{ u|dictsort }}
{{ u|safe }}|
{{ u|escape }}|
{{ u|replace('a','b') }}|
{{ u|sort }}
{{ u|unique|list }}
{{ u|max }}|
{{ u|abs }}
{{ u|round }}
{{ u|wordcount }}
{{ u|capitalize }}|
{{ u|title }}|
{{ u|indent }}|
{{ u|reverse|list }}
{{ u|batch(2)|list }}
{% if false %}{{ x|nope }}{% endif %}ok
{{ (x|nope) if false else 'ok' }}
{{ 'a' if true else x|nope }}
{% for i in [] %}{{ i|nope }}{% endfor %}ok
{% for i in [1] %}{{ i|nope }}{% endfor %}ok
{% if true %}a{% else %}{{ x|nope }}{% endif %}
{% if true %}a{% elif x|nope %}{% endif %}
{% if x|nope %}{% endif %}
{% if x is nope %}{% endif %}
{% if false %}{{ x is nope }}{% endif %}ok
{% if false %}{% if x is nope %}{% endif %}{% endif %}ok
{% set y = x|nope %}
{% if false %}{% set y = x|nope %}{% endif %}ok
{% if false %}{% for i in x|nope %}{{ i }}{% endfor %}{% endif %}ok
{% if false %}{% filter nope %}a{% endfilter %}{% endif %}ok
{% macro m(x) %}{{ x|nope }}{% endmacro %}ok
{% macro m(x) %}{% if x %}{{ x|nope }}{% endif %}{% endmacro %}{{ m(0) }}ok
{% macro m(x) %}{% if x %}{{ x|nope }}{% endif %}{% endmacro %}{{ m(1) }}ok
{% if false %}{% macro m(x) %}{{ x|nope }}{% endmacro %}{% endif %}ok
{% if true %}{% macro m(x) %}{{ x|nope }}{% endmacro %}{% endif %}ok
{% if true %}{% macro m(x) %}{{ x|nope }}{% endmacro %}{{ m(1) }}{% endif %}ok
{% if false %}{% for i in [1] %}{{ i|nope }}{% endfor %}{% endif %}ok
{% if true %}{{ x|nope }}{% endif %}ok
{% if 'a' is defined and x|nope %}{% endif %}
{{ ['a']|map('nope')|list }}
{{ []|map('nope')|list }}
{{ []|select('nope')|list }}
{{ [1]|select('nope')|list }}
{% if false %}{{ x is nope }}{% else %}{{ 1 is nope }}{% endif %}
{% if false %}{{ nope(1) }}{% endif %}ok
{% if false %}{% set ns.a = x|nope %}{% endif %}ok
{% for i in [1] if i|nope %}{% endfor %}
{% if false %}{% for i in [1] if i is nope %}{% endfor %}{% endif %}ok
{{ '<a>'|safe + '<b>' }}
{{ '<b>' + '<a>'|safe }}
{{ '<a>'|safe + '<b>'|safe }}
{{ '<a>'|safe ~ '<b>' }}
{{ '<b>' ~ '<a>'|safe }}
{{ ('<a>'|safe ~ '<b>')|upper }}
{{ '<a>'|safe + 1 }}
{{ '<a>'|safe + none }}
{{ 1 + '<a>'|safe }}
{{ '<a>'|e + '<b>' }}
{{ '<a>'|e|e }}
{{ '<a>'|safe|e }}
{{ '<a>'|e|safe }}
{{ '<a>'|escape|upper }}
{{ '<a>'|forceescape }}
{{ '<a>'|e|forceescape }}
{{ '<a>'|safe * 2 + '<' }}
{{ '<%s>'|safe % '<b>' }}
{{ '<%s>'|safe|format('<b>') }}
{{ '<%s>'|format('<b>') }}
{{ '<%d>'|safe % 3 }}
{{ '<%s %s>'|safe % ('<', 1) }}
{{ ('<{}>'|safe).format('<b>') }}
{{ ('<a>'|safe).replace('a', '<') }}
{{ '<a>'|safe|replace('a', '<') }}
{{ 'xax'|replace('a', '<'|safe) }}
{{ '<ax'|replace('a', '<'|safe) }}
{{ ['<', '>'|safe]|join('&') }}
{{ ['<', '>']|join('&'|safe) }}
{{ ('&'|safe).join(['<', '>'|safe]) }}
{{ '&'.join(['<', '>'|safe]) }}
{{ '<a>'|safe == '<a>' }}
{{ '<a>'|safe in ['<a>'] }}
{{ '<a>'|safe is string }}
{{ '<a>' is escaped }}|{{ '<a>'|safe is escaped }}
{{ ('<a>'|safe)[0] + '<' }}
{{ ('<a>'|safe)[1:] + '<' }}
{{ ('<a>'|safe).split('a')[0] + '<' }}
{{ ('<a>'|safe).strip() + '<' }}
{{ ('<a>'|safe).upper() + '<' }}
{{ '<a>'|safe|trim + '<' }}
{{ '<a>'|safe|upper + '<' }}
{{ '<a>'|safe|lower + '<' }}
{{ '<a>'|safe|string + '<' }}
{{ '<a>'|safe|capitalize + '<' }}
{{ '<a>'|safe|title + '<' }}
{{ '<a>'|safe|indent + '<' }}
{{ '<a>'|safe|reverse + '<' }}
{{ '<a>'|safe|first + '<' }}
{{ '<a>'|safe|list }}
{{ '<a>'|safe|tojson + '<' }}
{{ {'a': '<'}|tojson + '<' }}
{{ {'a': '<'}|tojson|safe + '<' }}
{% set x %}<a>{% endset %}{{ x + '<' }}
{% set x = '<a>'|safe %}{{ x + '<' }}
{% set x = '<a>'|safe %}{% set x = x + '<' %}{% set x = x + '>' %}{{ x }}
{% set x = '<a>'|safe %}{% set x = '<' + x %}{% set x = '>' + x %}{{ x }}
{% macro m() %}<a>{% endmacro %}{{ m() + '<' }}
{% macro m() %}<a>{% endmacro %}{{ '<' + m() }}
{% set x = "a"|safe %}{% set x = x ~ '<' %}{{ x + '<' }}
{{ [('<'|safe)] }}
{{ {'a': '<'|safe} }}
{{ [('<'|e)]|tojson }}
{{ '<a>'|safe|length }}
{{ ('<'|safe) + u }}
{{ ('<'|safe) ~ u ~ '<' }}
{{ ('<'|safe) ~ none ~ 1 }}
{{ '%s'|format(none) }}
{% set ns = namespace(a=1) %}{{ ns.b is defined }}
{% set ns = namespace({'a': 2}, b=3) %}{{ ns.a }}{{ ns.b }}
{% set ns = namespace(a=1) %}{{ ns['a'] }}
{% set ns = namespace() %}{% set ns.x = [1] %}{% set ns.x = ns.x + [2] %}{{ ns.x }}
{% set ns = {} %}{% set ns.x = 1 %}
{% set ns = namespace(a='<'|safe) %}{% set ns.a = ns.a + '<' %}{{ ns.a }}
{% set ns = namespace(a=[]) %}{{ ns.a|length }}{{ ns.b|default(3) }}
{{ u.a }}
{{ u['a'] }}
{{ x.a.b is defined }}
{{ none.a is defined }}
{{ none.a.b is defined }}
{{ u + 'a' }}
{{ 'a' + u }}
{{ u ~ 'a' }}
{{ u == none }}|{{ u == v }}
{{ not u }}
{{ u in [1] }}
{{ 1 in u }}
{{ u < 1 }}
{{ u is none }}
{{ [u] }}
{{ [u]|select|list }}
{{ [1,none,2]|select|list }}
{{ [1,none,2]|select('none')|list }}
{{ [{'a':1},{}]|selectattr('a')|list }}
{{ [{'a':1},{}]|selectattr('a','defined')|list }}
{{ [{'a':1},{}]|selectattr('a','undefined')|list }}
{{ [{'a':{'b':1}},{}]|selectattr('a.b')|list }}
{{ [{'a':{'b':1}},{'a':{}}]|selectattr('a.b','defined')|list }}
{{ [{'a':1},{'a':2}]|selectattr('a','in',[1])|list }}
{{ [{'a':1},{'a':2}]|selectattr('a','equalto',2)|map(attribute='a')|first }}
{{ [none]|selectattr('a')|list }}
{{ [none]|map(attribute='a')|list }}
{{ [none]|map(attribute='a', default='x')|list }}
{{ []|selectattr('a')|first is defined }}
{{ (none or [])|selectattr('a')|list }}
{{ [1,2]|map('string')|join }}
{{ [1,2]|map('add', 1)|list }}
{{ ['a']|map('replace', 'a', 'b')|list }}
{{ ['a']|map('default', 'b')|list }}
{{ [u]|map('default', 'b')|list }}
{{ [[1,2]]|map('first')|list }}
{{ [[1,2]]|map(attribute=0)|list }}
{{ [' a ']|map('trim')|join('|') }}
{{ 'abc'|select('in', 'ab')|join }}
{{ {'a':1,'b':0}|select|list }}
{{ {'a':1}|map('upper')|list }}
{{ 3|e }}
{{ none|e }}
{{ none|safe }}
{{ 3|safe + 1 }}
{{ (1,2)|safe }}
{{ true|e }}
{{ u|e }}|
{{ '"'|e }}{{ "'"|e }}{{ '&'|e }}
{{ ('<a>'|safe).lstrip('<') + '<' }}
{{ ('<a>'|safe).startswith('<') }}
{{ '<' + ('<a>'|safe) + '<' }}
{{ ('a' ~ ('<'|safe)) + '<' }}
{{ '-' * 3 + '<'|safe }}
{{ ('<'|safe).join(['a','b']) + '<' }}
{{ ''|safe + '<' }}
{{ ('<'|safe if true) + '<' }}
{% filter escape %}<a>{% endfilter %}
{% filter safe %}<a>{% endfilter %}
{% filter upper|safe %}<a>{% endfilter %}
{% set x | upper %}<a>{% endset %}{{ x + '<' }}
{% call(x) m() %}{% endcall %}
{{ '<a>' | e | length }}
{{ ('<'|safe) < 'a' }}
{{ {('<'|safe): 1}['<'] }}
{{ {'<': 1}['<'|safe] }}
"""

cases = ["{{ " + e + " }}" for e in expressions.strip().split("\n")] + templates + odd.strip().split("\n")
golden = [{"template": source, **rendered(source, context)} for source in cases]
json.dump({"context": context, "cases": golden}, open("golden.json", "w"), ensure_ascii=False, indent=1)
