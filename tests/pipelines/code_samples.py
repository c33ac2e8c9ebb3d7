"""Code in every language that is checked, right in all of its lines: what is cut off it is unfinished, never wrong."""

from __future__ import annotations

from pipelines.code_languages import CodeLanguage

SAMPLES: dict[CodeLanguage, str] = {
    "python": r'''"""A docstring (with a bracket."""
import re
from dataclasses import (
    dataclass,
    field,
)

@dataclass
class Stack:
    items: list[int] = field(default_factory=list)

    def push(
        self,
        item: int,
    ) -> None:
        # first a comment
        self.items.append(item)

def read(path):
    try:
        with open(path) as file:
            return [line for line in file if "(" not in line]
    except OSError as error:
        raise ValueError(f"{path}: {error}") from None
    finally:
        print("done", \
              "really")

def kind(value):
    match value:
        case {"a": [1, *rest]}:
            return rest
        case _:
            return """several
lines ( of
text"""
''',
    "javascript": r"""import { a } from "./b.js";
// a comment with ( an open
export async function load(url, { retries = 3 } = {}) {
  for (let i = 0; i < retries; i++) {
    try {
      const answer = await fetch(`${url}?n=${i}`);
      if (!answer.ok) throw new Error(`status ${answer.status} (`);
      return await answer.json();
    } catch (error) {
      console.warn("again {", error);
    }
  }
  return [1, 2, 3].map((x) => x * 2).filter(Boolean);
}
class Stack extends Array {
  #size = 0;
  get size() { return this.#size; }
  push(...items) {
    this.#size += items.length;
    return super.push(...items);
  }
}
const regex = /[(]+/g;
switch (x) {
  case 1:
    break;
  default:
    y();
}
""",
    "typescript": r"""interface Point<T extends number = number> {
  x: T;
  y?: T;
}
type Pair = [string, Point];
export function distance(a: Point, b: Point): number {
  const dx = (a.x ?? 0) - (b.x ?? 0);
  return Math.sqrt(dx * dx);
}
enum Colour {
  Red = "red",
  Green = "green",
}
abstract class Shape {
  constructor(private readonly name: string) {}
  abstract area(): number;
}
""",
    "java": r"""package a.b;
import java.util.*;
public class Main<T extends Comparable<T>> {
    private final Map<String, List<T>> map = new HashMap<>();
    @Override
    public String toString() {
        StringBuilder b = new StringBuilder();
        for (Map.Entry<String, List<T>> e : map.entrySet()) {
            b.append(e.getKey()).append("(").append('{');
        }
        return b.toString();
    }
    public static void main(String[] args) {
        int[] xs = {1, 2, 3};
        if (xs.length > 2) {
            System.out.println("x");
        } else {
            throw new RuntimeException("no");
        }
    }
}
""",
    "c": r"""#include <stdio.h>
#define MAX 10
struct node {
    int value;
    struct node *next;
};
static int sum(const struct node *n) {
    int total = 0;
    while (n != NULL) {
        total += n->value;
        n = n->next;
    }
    return total;
}
int main(void) {
    char *s = "({[";
    for (int i = 0; i < MAX; i++) {
        printf("%d\n", i);
    }
    return 0;
}
""",
    "cpp": r"""#include <vector>
#include <string>
namespace a {
template <typename T>
class Stack {
public:
    void push(T value) {
        items_.push_back(std::move(value));
    }
    T pop() {
        auto last = items_.back();
        items_.pop_back();
        return last;
    }
private:
    std::vector<T> items_;
};
}
int main() {
    a::Stack<int> s;
    auto f = [&](int x) { s.push(x); };
    for (auto x : {1, 2, 3}) {
        f(x);
    }
    return s.pop();
}
""",
    "csharp": r"""using System;
using System.Linq;
namespace Demo
{
    public record Person(string Name, int Age);
    public class Program
    {
        public int Count { get; private set; }
        public static void Main(string[] args)
        {
            var people = new[] { new Person("A", 1), new Person("B", 2) };
            foreach (var p in people.Where(x => x.Age > 1))
            {
                Console.WriteLine($"{p.Name} is {p.Age}");
            }
        }
    }
}
""",
    "go": r"""package main

import (
	"fmt"
	"sort"
)

type Point struct {
	X, Y int
}

func (p Point) Add(q Point) Point {
	return Point{p.X + q.X, p.Y + q.Y}
}

func main() {
	xs := []int{3, 1, 2}
	sort.Ints(xs)
	for i, x := range xs {
		if x > 1 {
			fmt.Println(i, x)
		} else {
			continue
		}
	}
	go func() {
		fmt.Println("(")
	}()
}
""",
    "rust": r"""use std::collections::HashMap;

#[derive(Debug, Clone)]
struct Point<T> {
    x: T,
    y: T,
}

impl<T: Copy + std::ops::Add<Output = T>> Point<T> {
    fn add(&self, other: &Point<T>) -> Point<T> {
        Point { x: self.x + other.x, y: self.y + other.y }
    }
}

fn main() {
    let mut map: HashMap<&str, i32> = HashMap::new();
    map.insert("a", 1);
    match map.get("a") {
        Some(n) if *n > 0 => println!("{}", n),
        Some(_) => {}
        None => println!("none"),
    }
    let v: Vec<i32> = (0..10).map(|x| x * 2).collect();
    println!("{:?}", v);
}
""",
    "php": r"""<?php
namespace App;
class User
{
    private array $tags = [];
    public function __construct(public string $name)
    {
        $this->tags[] = "a";
    }
    public function all(): array
    {
        foreach ($this->tags as $tag) {
            echo "{$tag}\n";
        }
        return array_map(fn($x) => $x . "(", $this->tags);
    }
}
""",
    "ruby": r"""require "set"
class Stack
  attr_reader :items
  def initialize(items = [])
    @items = items
  end
  def push(x)
    @items << x
    self
  end
  def each
    @items.each do |item|
      yield item if item
    end
  end
end
s = Stack.new([1, 2])
puts s.items.map { |x| x * 2 }.inspect
""",
    "bash": r"""#!/bin/bash
set -euo pipefail
count() {
  local n=0
  for f in "$1"/*.txt; do
    if [ -f "$f" ]; then
      n=$((n + 1))
    fi
  done
  echo "$n"
}
case "${1:-}" in
  -h)
    echo help
    ;;
  *)
    count "$1" | sort -n
    ;;
esac
while read -r line; do
  echo "$line"
done < file
""",
    "sql": r"""CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL
);
INSERT INTO users (id, name) VALUES (1, 'a'), (2, 'b');
SELECT u.name, COUNT(*) AS n
FROM users u
JOIN orders o ON o.user_id = u.id
WHERE u.id > 1
GROUP BY u.name
ORDER BY n DESC;
""",
    "html": r"""<!DOCTYPE html>
<html lang="en">
<head>
  <title>Hello</title>
  <style>
    body { margin: 0; }
  </style>
</head>
<body>
  <div class="a" id=b>
    <p>Some text<br>
    <img src="x.png" alt="x">
    </p>
  </div>
  <script>
    if (a < b) { go(); }
  </script>
</body>
</html>
""",
    "css": r"""body {
  margin: 0;
  color: #333;
}
@media (max-width: 600px) {
  .a > .b:hover, #c {
    display: grid;
    grid-template: "a b" 1fr / auto;
  }
}
:root { --x: calc(1px + 2em); }
""",
}
