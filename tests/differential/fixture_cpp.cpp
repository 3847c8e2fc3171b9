// SPDX-License-Identifier: MIT
//
// fixture_cpp.cpp - exceptions, virtual calls and switch tables, with the
// results printed: patched and unpatched must print the same.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct shape {
	virtual ~shape() = default;
	virtual int area(int scale) const = 0;
	int side = 3;
};

struct square : virtual shape {
	int area(int scale) const override
	{
		if (scale > 4)
			throw std::out_of_range("scale " +
						std::to_string(scale));
		return side * side * scale;
	}
};

struct circle : virtual shape {
	int area(int scale) const override { return 3 * side * scale; }
};

struct counted {
	static int alive;
	counted() { alive++; }
	~counted() { alive--; }
};
int counted::alive;

int classify(int x)
{
	counted guard;

	switch (x) {
	case 0: return 10;
	case 1: throw 1;
	case 2: throw std::string("two");
	case 3: return counted::alive;
	case 4: throw 4.5;
	case 5: return x * 7;
	case 6: throw std::runtime_error("six");
	case 7: return -1;
	case 8: return guard.alive + x;
	default: return x;
	}
}

int guarded(int x)
{
	counted guard;

	try {
		return classify(x);
	} catch (int i) {
		return i + 100;
	} catch (const std::string &s) {
		return static_cast<int>(s.size()) + 200;
	} catch (const std::exception &e) {
		std::printf("caught %s\n", e.what());
		throw;
	}
}

} // namespace

int main()
{
	std::vector<std::unique_ptr<shape>> shapes;
	std::map<std::string, int> seen;
	long sum = 0;

	for (int i = 0; i < 12; i++) {
		if (i % 2)
			shapes.push_back(std::make_unique<square>());
		else
			shapes.push_back(std::make_unique<circle>());
		shapes.back()->side += i;
	}
	for (int i = 0; i < 12; i++) {
		try {
			sum += shapes[i]->area(i);
			sum += guarded(i);
		} catch (const std::exception &e) {
			seen[e.what()] += i;
		} catch (...) {
			seen["other"]++;
		}
	}
	std::function<int(int)> f = [&](int n) {
		return n < 2 ? n : f(n - 1) + f(n - 2);
	};
	sum += f(12);
	std::sort(shapes.begin(), shapes.end(),
		  [](const auto &a, const auto &b) {
			  return a->side * 7 % 11 < b->side * 7 % 11;
		  });
	for (const auto &s : shapes)
		sum = sum * 3 + s->side + (dynamic_cast<square *>(s.get())
					   ? 1 : 0);
	for (const auto &[what, n] : seen)
		std::printf("%s: %d\n", what.c_str(), n);
	std::printf("%ld %d\n", sum, counted::alive);
	return 0;
}
