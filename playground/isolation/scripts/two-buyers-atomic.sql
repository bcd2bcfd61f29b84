-- Two buyers, stock 1: the condition is in the update, which tells how many rows it sold
create table product (id int primary key, stock int);
insert into product values (1, 1);

T1: begin;
T2: begin;
T1: update product set stock = stock - 1 where id = 1 and stock >= 1;
T2: update product set stock = stock - 1 where id = 1 and stock >= 1;
T1: commit;
T2: commit;
